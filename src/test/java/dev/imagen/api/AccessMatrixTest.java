package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.imagen.auth.ApiKeys;
import dev.imagen.testing.EventReader;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import dev.imagen.testing.TokenIssuer;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every route with everything that a caller could show, in mode jwt. */
@Timeout(120)
class AccessMatrixTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final UUID ALICE = UUID.randomUUID();
    private static final UUID BOB = UUID.randomUUID();
    private static final String SECRET = "a secret of Alice";
    private static final String LATER = "9999-01-01T00:00:00Z";

    private static TokenIssuer issuer;
    private static TestService service;
    private static TestClient client;
    private static String alice;
    private static String bob;
    private static String operator;

    /** What those who prove somebody get: Alice owns what is asked for, Bob does not, and the service may do all. */
    record Expected(int owner, int stranger, int service, String body) {}

    private static final Map<String, Expected> ROUTES = new TreeMap<>(Map.ofEntries(
            route("POST /jobs", 201, 201, 422, "{\"prompt\": \"a bay\", \"run_at\": \"" + LATER + "\"}"),
            route("GET /jobs", 200, 200, 422, ""), route("GET /jobs/{id}", 200, 404, 200, ""),
            route("GET /jobs/events", 200, 200, 422, ""), route("GET /jobs/{id}/events", 200, 404, 200, ""),
            route("POST /jobs/{id}/cancel", 409, 404, 409, ""), route("POST /jobs/{id}/retry", 409, 404, 409, ""),
            route("POST /images", 201, 201, 422, ""), route("GET /images", 200, 200, 422, ""),
            route("GET /images/{id}", 200, 404, 200, ""), route("GET /images/{id}/content", 200, 404, 200, ""),
            route("GET /images/{id}/thumbnail", 200, 404, 200, ""), route("GET /images/{id}/link", 200, 404, 200, ""),
            route("DELETE /images/{id}", 204, 404, 204, ""), route("POST /images/{id}/restore", 200, 404, 200, ""),
            route("GET /usage", 200, 200, 422, ""), route("GET /backends", 200, 200, 200, ""),
            route("GET /styles", 200, 200, 200, ""), route("POST /tickets", 201, 201, 201, ""),
            route("GET /me", 200, 200, 200, ""), route("GET /workers", 403, 403, 200, ""),
            route("GET /queue", 403, 403, 200, ""), route("GET /queue/history", 403, 403, 200, ""),
            route("GET /queue/failures", 403, 403, 200, ""),
            route("POST /queue/cancel", 403, 403, 200, "{\"backend\": \"none\"}"),
            route("POST /queue/retry", 403, 403, 200, "{\"backend\": \"none\"}"),
            route("GET /pause", 403, 403, 200, ""), route("POST /pause", 403, 403, 200, "{\"backend\": \"none\"}"),
            route("POST /resume", 403, 403, 200, "{\"backend\": \"none\"}")));

    private static Map.Entry<String, Expected> route(String route, int owner, int stranger, int service, String body) {
        return Map.entry(route, new Expected(owner, stranger, service, body));
    }

    @BeforeAll
    static void start() {
        issuer = new TokenIssuer();
        service = TestService.on(DB).jwt(issuer.settings()).start();
        client = service.client();
        alice = bearer(issuer.token(ALICE));
        bob = bearer(issuer.rs256(TokenIssuer.claims(BOB).build()));
        operator = bearer(issuer.serviceToken());
    }

    @AfterAll
    static void stop() {
        service.close();
        issuer.close();
    }

    private static String bearer(String shown) {
        return "Bearer " + shown;
    }

    /** Alice's finished job and its image. */
    record Made(String job, String image) {}

    private static Made made() {
        var job = client.submit("{\"prompt\": \"" + SECRET + "\"}", "Authorization", alice, "Prefer", "wait=60").json();
        assertThat(job.path("status").asText()).isEqualTo("done");
        return new Made(job.path("id").asText(), job.path("image_id").asText());
    }

    private static TestClient.Answer ask(String route, Made made, String body, String... headers) {
        var parts = route.split(" ");
        var path = parts[1].replace("{id}", parts[1].startsWith("/images") ? made.image() : made.job());
        if (route.equals("POST /images")) {
            return client.upload(path, SampleImages.png(16, 16), "image/png", headers);
        }
        var publisher = body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body);
        return client.send(parts[0], path, publisher, headers);
    }

    private static int status(String route, Made made, String body, String authorization) {
        if (!route.equals("GET /jobs/events")) {
            return ask(route, made, body, "Authorization", authorization).status();
        }
        // This stream has no end.
        try (var events = client.events("/jobs/events", "Authorization", authorization)) {
            return events.status();
        }
    }

    @Test
    void the_matrix_has_every_route_of_the_service() {
        assertThat(ROUTES.keySet())
                .isEqualTo(RouteRecorder.routes(ApiServer.routes(service.parts(), service.access())));
    }

    static Stream<Arguments> proofs() {
        return ROUTES.entrySet().stream()
                .flatMap(route -> Stream.of(Arguments.of(route.getKey(), "owner", alice, route.getValue().owner()),
                        Arguments.of(route.getKey(), "stranger", bob, route.getValue().stranger()),
                        Arguments.of(route.getKey(), "service", operator, route.getValue().service())));
    }

    @ParameterizedTest(name = "{0} as {1}: {3}")
    @MethodSource("proofs")
    void who_proves_somebody_gets_what_is_theirs(String route, String who, String authorization, int expected) {
        assertThat(status(route, made(), ROUTES.get(route).body(), authorization)).isEqualTo(expected);
    }

    static Stream<Arguments> proofsOfNobody() throws JOSEException {
        var claims = TokenIssuer.claims(ALICE).build();
        var past = new JWTClaimsSet.Builder(claims).expirationTime(Date.from(Instant.now().minusSeconds(60))).build();
        var elsewhere = new JWTClaimsSet.Builder(claims).audience("elsewhere").build();
        var anon = new JWTClaimsSet.Builder(claims).claim("role", "anon").build();
        byte[] publicKey = issuer.rsa().toRSAPublicKey().getEncoded();
        var json = issuer.rsa().toPublicJWK().toString().getBytes(StandardCharsets.UTF_8);
        return Stream.of(Arguments.of("no token", Optional.empty()), shown("no bearer", "Basic YTpi"),
                shown("an empty one", "Bearer "), shown("malformed", bearer("a.b.c")),
                shown("two of them", bearer(issuer.token(ALICE) + " " + issuer.token(ALICE))),
                shown("expired", bearer(issuer.hs256(past))),
                shown("wrong secret", bearer(TokenIssuer.hs256(claims, new byte[32]))),
                shown("wrong key", bearer(TokenIssuer.rs256(claims, new RSAKeyGenerator(2048).generate()))),
                shown("alg none", bearer(TokenIssuer.unsigned(claims))),
                shown("HS256 with the public key", bearer(TokenIssuer.hs256(claims, publicKey))),
                shown("HS256 with the public key as JSON", bearer(TokenIssuer.hs256(claims, json))),
                shown("wrong audience", bearer(issuer.hs256(elsewhere))),
                shown("role anon", bearer(issuer.hs256(anon))),
                shown("sub no uuid", bearer(issuer.hs256(new JWTClaimsSet.Builder(claims).subject("alice").build()))),
                shown("an API key that is none", bearer("imagen_" + "A".repeat(43))));
    }

    private static Arguments shown(String what, String authorization) {
        return Arguments.of(what, Optional.of(authorization));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("proofsOfNobody")
    void what_proves_nobody_is_401_on_every_route(String what, Optional<String> authorization) throws SQLException {
        var made = made();
        var before = DB.rows("select * from imagen.jobs order by id");
        ROUTES.forEach((route, expected) -> {
            var answer = authorization.isPresent()
                    ? ask(route, made, expected.body(), "Authorization", authorization.get())
                    : ask(route, made, expected.body());
            assertThat(answer.status()).as(route).isEqualTo(401);
            assertThat(answer.header("WWW-Authenticate")).startsWith("Bearer realm=\"imagen\"");
            assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
            assertThat(answer.json().toString()).doesNotContain(SECRET);
            authorization.map(shown -> shown.replaceFirst("\\S+ ?", "")).filter(shown -> !shown.isEmpty()).ifPresent(
                    shown -> assertThat(answer.headers().map() + answer.json().toString()).doesNotContain(shown));
        });
        assertThat(DB.rows("select * from imagen.jobs order by id")).isEqualTo(before);
        assertThat(DB.row("select deleted_at from imagen.images where id = '" + made.image() + "'"))
                .containsEntry("deleted_at", null);
    }

    @Test
    void only_where_something_was_shown_the_challenge_says_what_is_wrong_with_it() {
        assertThat(client.get("/jobs").header("WWW-Authenticate")).isEqualTo("Bearer realm=\"imagen\"");
        assertThat(client.get("/jobs", "Authorization", "Bearer a.b.c").header("WWW-Authenticate"))
                .isEqualTo("Bearer realm=\"imagen\", error=\"invalid_token\", error_description=\"the token is no"
                        + " signed JWT\"");
    }

    // The service

    @Test
    void the_service_names_the_owner_of_a_new_job() throws SQLException {
        var body = "{\"prompt\": \"a bay\", \"run_at\": \"" + LATER + "\", \"priority\": 100";
        var answer = client.submit(body + ", \"owner_user_id\": \"" + BOB + "\"}", "Authorization", operator);
        assertThat(answer.status()).isEqualTo(201);
        assertThat(DB.job(answer.id())).containsEntry("owner_user_id", BOB).containsEntry("priority", 100);
        var nobodys = client.submit(body + "}", "Authorization", operator);
        assertThat(nobodys.status()).isEqualTo(422);
        assertThat(nobodys.json().path("errors").path(0).path("field").asText()).isEqualTo("owner_user_id");
    }

    @Test
    void the_service_lists_the_jobs_of_the_owner_that_it_names() {
        var made = made();
        var list = client.get("/jobs?owner_user_id=" + ALICE, "Authorization", operator);
        assertThat(list.json().toString()).contains(made.job());
        assertThat(client.get("/images?owner_user_id=" + ALICE, "Authorization", operator).json().toString())
                .contains(made.image());
        assertThat(client.get("/usage?owner_user_id=" + ALICE, "Authorization", operator).json().path("usage"))
                .isNotEmpty();
        try (var events = client.events("/jobs/events?owner_user_id=" + ALICE, "Authorization", operator)) {
            events.comment();
            var next = made().job();
            assertThat(events.next("status").data().path("id").asText()).isEqualTo(next);
        }
    }

    @Test
    void the_service_sums_what_everybody_used_and_an_owner_may_not() throws SQLException {
        DB.execute("insert into imagen.usage (owner_user_id, backend, model, outcome, images, duration_ms, cost_usd,"
                + " created_at) values ('" + ALICE + "', 'mock', 'm', 'done', 1, 1, 0.5, '2020-01-31T10:00:00Z'), ('"
                + BOB + "', 'mock', 'm', 'done', 2, 1, 0.25, '2020-01-31T23:00:00Z')");
        var path = "/usage?group=day&to=2020-02-01&owners=all";
        var days = client.get(path, "Authorization", operator).json().path("usage");
        assertThat(days).hasSize(1);
        assertThat(days.path(0).path("day").asText()).isEqualTo("2020-01-31");
        assertThat(days.path(0).path("images").asInt()).isEqualTo(3);
        assertThat(days.path(0).path("cost_usd").decimalValue()).isEqualByComparingTo("0.75");
        assertThat(client.get("/usage?to=2020-02-01&owner_user_id=" + BOB, "Authorization", operator).json()
                .path("usage").path(0).path("images").asInt()).isEqualTo(2);
        assertThat(client.get(path, "Authorization", alice).status()).isEqualTo(403);
        assertThat(client.get(path).status()).isEqualTo(401);
        for (String wrong : new String[]{"owners=", "owners=some", "owners=all&owner_user_id=" + ALICE}) {
            var refused = client.get("/usage?" + wrong, "Authorization", operator);
            assertThat(refused.status()).isEqualTo(422);
            assertThat(refused.detail()).isEqualTo("owners must be all, and goes without owner_user_id");
        }
    }

    @Test
    void an_owner_who_names_another_one_is_refused() {
        for (String path : new String[]{"/jobs", "/images", "/usage", "/jobs/events"}) {
            assertThat(client.get(path + "?owner_user_id=" + ALICE, "Authorization", bob).status()).isEqualTo(403);
            assertThat(client.get(path + "?owner_user_id=nobody", "Authorization", bob).status()).isEqualTo(422);
        }
        var posted = client.submit("{\"prompt\": \"a\", \"owner_user_id\": \"" + ALICE + "\"}", "Authorization", bob);
        assertThat(posted.status()).isEqualTo(403);
    }

    @Test
    void an_owner_may_not_go_before_others() {
        assertThat(client.submit("{\"prompt\": \"a\", \"priority\": 1}", "Authorization", bob).status()).isEqualTo(422);
    }

    // API keys

    @Test
    void an_api_key_proves_its_owner_until_it_is_revoked() throws SQLException {
        var keys = new ApiKeys(DB.database());
        var created = keys.create("ci", Optional.of(ALICE));
        var made = made();
        var path = "/jobs/" + made.job();
        assertThat(client.get(path, "Authorization", bearer(created.key())).status()).isEqualTo(200);
        assertThat(client.get(path, "Authorization", bearer(keys.create("ci", Optional.of(BOB)).key())).status())
                .isEqualTo(404);
        assertThat(client.get("/pause", "Authorization", bearer(created.key())).status()).isEqualTo(403);
        assertThat(DB.rows("select * from imagen.api_keys").toString()).doesNotContain(created.key());

        keys.revoke(created.known().id());
        var refused = client.get(path, "Authorization", bearer(created.key()));
        assertThat(refused.status()).isEqualTo(401);
        assertThat(refused.detail()).isEqualTo("the API key is unknown or was revoked");
    }

    @Test
    void an_operators_key_operates() {
        var key = new ApiKeys(DB.database()).create("ops", Optional.empty()).key();
        assertThat(client.get("/pause", "Authorization", bearer(key)).status()).isEqualTo(200);
        assertThat(client.get("/jobs?owner_user_id=" + ALICE, "Authorization", bearer(key)).status()).isEqualTo(200);
    }

    // Who one is

    private static JsonNode me(String authorization) {
        return client.get("/me", "Authorization", authorization).json();
    }

    @Test
    void a_token_tells_whose_it_is_and_when_it_ends() {
        var end = Instant.now().plusSeconds(300).truncatedTo(ChronoUnit.SECONDS);
        var token = issuer.hs256(TokenIssuer.claims(ALICE).expirationTime(Date.from(end)).build());
        assertThat(me(bearer(token)).toString()).isEqualTo("{\"owner_user_id\":\"" + ALICE
                + "\",\"operator\":false,\"auth\":\"jwt\",\"expires_at\":\"" + end + "\"}");
        var service = me(operator);
        assertThat(service.path("owner_user_id").isNull()).isTrue();
        assertThat(service.path("operator").booleanValue()).isTrue();
    }

    @Test
    void a_key_tells_whose_it_is_and_has_no_end() {
        var keys = new ApiKeys(DB.database());
        assertThat(me(bearer(keys.create("ci", Optional.of(BOB)).key())).toString()).isEqualTo(
                "{\"owner_user_id\":\"" + BOB + "\",\"operator\":false,\"auth\":\"jwt\",\"expires_at\":null}");
        assertThat(me(bearer(keys.create("ops", Optional.empty()).key())).toString())
                .isEqualTo("{\"owner_user_id\":null,\"operator\":true,\"auth\":\"jwt\",\"expires_at\":null}");
    }

    // Streams

    private static String ticket(String authorization) {
        var answer = client.send("POST", "/tickets", BodyPublishers.noBody(), "Authorization", authorization);
        assertThat(answer.status()).isEqualTo(201);
        assertThat(Instant.parse(answer.json().path("expires_at").asText())).isBetween(Instant.now(),
                Instant.now().plusSeconds(61));
        return answer.json().path("ticket").asText();
    }

    @Test
    void a_ticket_opens_one_stream_of_its_owner_and_nothing_else() {
        var job = made().job();
        var ticket = ticket(alice);
        assertThat(client.get("/jobs/" + job + "?ticket=" + ticket).status()).isEqualTo(401);
        try (var events = client.events("/jobs/" + job + "/events?ticket=" + ticket)) {
            assertThat(events.awaitStatus("done").data().path("id").asText()).isEqualTo(job);
        }
        var again = client.get("/jobs/" + job + "/events?ticket=" + ticket);
        assertThat(again.status()).isEqualTo(401);
        assertThat(again.detail()).isEqualTo("the ticket is unknown, used or older than a minute");
        assertThat(client.get("/jobs/" + job + "/events?ticket=" + ticket(bob)).status()).isEqualTo(404);
    }

    /** Histories and the logs of proxies keep URLs. */
    @ParameterizedTest
    @ValueSource(strings = {"token", "access_token", "ticket", "Authorization", "apikey"})
    void a_token_in_a_url_proves_nobody(String name) {
        var query = "?" + name + "=" + alice.substring("Bearer ".length());
        for (String path : new String[]{"/jobs", "/jobs/events", "/jobs/" + made().job() + "/events"}) {
            assertThat(client.get(path + query).status()).as(path).isEqualTo(401);
        }
    }

    @Test
    void a_ticket_is_good_for_a_minute_and_is_kept_as_its_hash() throws SQLException {
        var ticket = ticket(alice);
        assertThat(DB.rows("select * from imagen.tickets").toString()).doesNotContain(ticket);
        DB.execute("update imagen.tickets set expires_at = now() - interval '1 millisecond'");
        assertThat(client.get("/jobs/events?ticket=" + ticket).status()).isEqualTo(401);
        DB.execute("update imagen.tickets set expires_at = now() - interval '1 millisecond'");
        ticket(alice);
        assertThat(DB.row("select count(*) as n from imagen.tickets where expires_at < now()")).containsEntry("n", 0L);
    }

    @Test
    void a_stream_ends_when_its_token_does() {
        var token = issuer
                .hs256(TokenIssuer.claims(ALICE).expirationTime(Date.from(Instant.now().plusSeconds(2))).build());
        for (String path : new String[]{"/jobs/events", "/jobs/events?ticket=" + ticket(bearer(token))}) {
            try (var events = client.events(path, "Authorization", bearer(token))) {
                assertThat(events.status()).isEqualTo(200);
                EventReader.Item item;
                do {
                    item = events.item();
                } while (item instanceof EventReader.Event);
                assertThat(item).isEqualTo(new EventReader.End());
            }
        }
    }

    @Test
    void a_page_says_in_the_query_what_it_knows_already() {
        var job = made().job();
        var version = client.get("/jobs/" + job, "Authorization", alice).json().path("version").asText();
        var path = "/jobs/" + job + "/events?last_event_id=" + version;
        assertThat(client.get(path, "Authorization", alice).status()).isEqualTo(204);
    }

    // Without a proof

    @Test
    void health_and_the_document_need_no_proof() {
        assertThat(client.get("/openapi").status()).isEqualTo(200);
        assertThat(client.get("/nowhere").status()).isEqualTo(404);
    }
}
