package dev.imagen.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import dev.imagen.testing.ServiceProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two people with tokens of their own at the packaged service, which is restarted under their hands. */
@Timeout(300)
class OwnersIT {

    private static final String SECRET = "a shared secret with more than thirty-two bytes";

    @TempDir
    private Path home;

    private Chromium chromium;
    private int port;
    private ServiceProcess service;

    @BeforeEach
    void start() throws Exception {
        chromium = Chromium.start();
        port = freePort();
        serve();
    }

    @AfterEach
    void stop() {
        if (service != null) {
            service.close();
        }
        if (chromium != null) {
            chromium.close();
            assertThat(chromium.complaints()).isEmpty();
        }
    }

    private void serve() throws IOException, InterruptedException {
        service = ServiceProcess.start(home, Map.of("SERVER_PORT", String.valueOf(port), "AUTH_MODE", "jwt",
                "AUTH_JWT_SECRET", SECRET, "MOCK_DELAY", "PT1S"));
        service.awaitReady();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String token(JWTClaimsSet.Builder claims, Duration lifetime) throws JOSEException {
        var signed = new SignedJWT(new JWSHeader(JWSAlgorithm.HS256),
                claims.expirationTime(Date.from(Instant.now().plus(lifetime))).build());
        signed.sign(new MACSigner(SECRET));
        return signed.serialize();
    }

    private static String token(UUID owner) throws JOSEException {
        return token(new JWTClaimsSet.Builder().subject(owner.toString()).claim("role", "authenticated"),
                Duration.ofMinutes(10));
    }

    private Page signIn(String token) {
        var page = chromium.visitor("http://127.0.0.1:" + port).newPage();
        page.navigate("/");
        page.getByLabel("Token or API key").fill(token);
        page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Sign in")).click();
        return page;
    }

    @Test
    void two_people_never_see_each_other_and_a_restart_costs_them_nothing() throws Exception {
        var anna = new Studio(signIn(token(UUID.randomUUID())));
        var ben = new Studio(signIn(token(UUID.randomUUID())));
        anna.isLive();
        ben.isLive();
        anna.make("of the first one");
        ben.make("of the second one");
        anna.awaitDone("of the first one");
        ben.awaitDone("of the second one");
        assertThat(anna.page().getByText("of the second one")).hasCount(0);
        assertThat(ben.page().getByText("of the first one")).hasCount(0);
        assertThat(anna.tiles()).hasCount(1);
        assertThat(ben.tiles()).hasCount(1);

        var foreign = ben.tiles().first().getAttribute("data-image");
        anna.page().evaluate("id => { location.hash = '#image=' + id }", foreign);
        assertThat(anna.page().getByText("no such image")).isVisible();

        restart(anna, ben);
    }

    /** The pages stay as they are: what was changed meanwhile comes by itself. */
    private void restart(Studio anna, Studio ben) throws Exception {
        anna.make("across the restart");
        anna.awaitCard("across the restart", "Running");
        service.terminate();
        assertThat(service.awaitExit()).isZero();
        assertThat(anna.page().locator(".connection")).hasText("Connection lost, trying again…");
        serve();
        anna.isLive();
        ben.isLive();
        anna.awaitDone("across the restart");
        assertThat(anna.tiles()).hasCount(2);
        assertThat(ben.tiles()).hasCount(1);
        anna.make("after the restart");
        anna.awaitDone("after the restart");
        assertThat(anna.tiles()).hasCount(3);
    }

    @Test
    void a_token_is_needed_it_is_kept_for_the_tab_only_and_its_end_is_told() throws Exception {
        var page = signIn("no token at all");
        assertThat(page.locator("#answer-error")).isVisible();
        assertThat(page.evaluate("sessionStorage.length")).isEqualTo(0);

        var claims = new JWTClaimsSet.Builder().subject(UUID.randomUUID().toString()).claim("role", "authenticated");
        page = signIn(token(claims, Duration.ofMinutes(10)));
        new Studio(page).isLive();
        assertThat(page.content()).doesNotContain("eyJ");
        assertThat(page.evaluate("Object.keys(localStorage).length")).isEqualTo(0);
        page.evaluate("token => sessionStorage.setItem('imagen.token', token)", token(claims, Duration.ofHours(-1)));
        new Studio(page).make("too late");
        assertThat(page.locator("#answer-error")).containsText("expired");

        page = signIn(token(claims, Duration.ofMinutes(10)));
        new Studio(page).isLive();
        page.getByText("Sign out").click();
        assertThat(page.getByLabel("Token or API key")).isVisible();
        assertThat(page.evaluate("sessionStorage.getItem('imagen.token')")).isNull();
    }

    @Test
    void who_may_act_for_everybody_says_for_whom_and_sees_what_others_may_not() throws Exception {
        var owner = UUID.randomUUID();
        var service = signIn(token(new JWTClaimsSet.Builder().claim("role", "service_role"), Duration.ofMinutes(10)));
        service.getByLabel("Uuid of the owner").fill("somebody");
        service.getByText("Show", new Page.GetByTextOptions().setExact(true)).click();
        assertThat(service.getByText("That is no uuid.")).isVisible();
        service.getByLabel("Uuid of the owner").fill(owner.toString());
        service.getByText("Show", new Page.GetByTextOptions().setExact(true)).click();
        var studio = new Studio(service);
        studio.isLive();
        studio.make("for somebody");
        studio.awaitDone("for somebody");

        var somebody = new Studio(signIn(token(owner)));
        somebody.isLive();
        Studio.isLoaded(somebody.tiles().first().locator("img"));
        service.getByText("Another owner").click();
        assertThat(service.getByLabel("Uuid of the owner")).isVisible();
        somebody.page().navigate("/operate");
        assertThat(somebody.page().getByRole(AriaRole.ALERT)).containsText("This view is for operators");
        service.navigate("/operate");
        assertThat(service.getByRole(AriaRole.HEADING, new Page.GetByRoleOptions().setName("Workers"))).isVisible();
    }
}
