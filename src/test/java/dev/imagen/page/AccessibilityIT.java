package dev.imagen.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.ColorScheme;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.TestService;
import dev.imagen.testing.TokenIssuer;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.List;
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

/** Every view in light and dark, on a phone and on a wide screen: axe finds nothing, and how it looks is kept. */
@Timeout(300)
class AccessibilityIT {

    @RegisterExtension
    static final PageStage STAGE = new PageStage();

    /** Rules of WCAG 2.2, A and AA, and what else axe holds to be good. */
    private static final List<String> RULES = List.of("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
            "best-practice");

    private static TestService withTokens;
    private static TokenIssuer issuer;

    @BeforeAll
    static void start() throws SQLException, InterruptedException {
        issuer = new TokenIssuer();
        withTokens = TestService.on(STAGE.database()).withoutWorker().jwt(issuer.settings()).start();
        for (var prompt : List.of("a harbour at dusk", "a forest in autumn", "a mountain lake at dawn",
                "a quiet bay at night", "a desert under the stars", "a meadow in spring")) {
            STAGE.service().client().submitAndWait("{\"prompt\": \"" + prompt + "\"}");
        }
        STAGE.service().pipeline().failAll("the engine is out of memory");
        STAGE.service().client().submitAndWait("{\"prompt\": \"a city of glass\", \"max_attempts\": 1}");
        runOne();
        STAGE.database().execute("select imagen.pause('mock')");
        STAGE.service().client().submit("{\"prompt\": \"a lighthouse, waiting\"}");
    }

    private static void runOne() throws InterruptedException {
        var told = new CountDownLatch(1);
        STAGE.service().pipeline().gate((_, attempt) -> {
            attempt.finished(7, 20);
            told.countDown();
            new CountDownLatch(1).await();
        });
        STAGE.service().client().submit("{\"prompt\": \"a ship in a storm\"}");
        told.await();
    }

    @AfterAll
    static void stop() {
        Stream.of(withTokens, issuer).forEach(AccessibilityIT::close);
    }

    private static void close(AutoCloseable part) {
        try {
            if (part != null) {
                part.close();
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    static Stream<Arguments> looks() {
        return Stream.of(Arguments.of("light", ColorScheme.LIGHT, 1400, 900),
                Arguments.of("dark", ColorScheme.DARK, 1400, 900),
                Arguments.of("light-phone", ColorScheme.LIGHT, 390, 844),
                Arguments.of("dark-phone", ColorScheme.DARK, 390, 844));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("looks")
    void axe_finds_nothing_in_any_view(String name, ColorScheme scheme, int width, int height) {
        try (var visitor = STAGE.chromium().visitor(STAGE.url(), width, height, scheme)) {
            var studio = Studio.open(visitor.newPage());
            var page = studio.page();
            studio.tiles().nth(5).scrollIntoViewIfNeeded();
            Studio.isLoaded(studio.tiles().nth(5).locator("img"));
            page.evaluate("scrollTo(0, 0)");
            assertThat(studio.card("a ship in a storm")).containsText("step 7 of 20");
            check(page, "make-" + name);
            studio.tiles().nth(2).click();
            Studio.isLoaded(studio.viewer().locator(".stage img"));
            check(page, "viewer-" + name);
            page.navigate("/operate");
            assertThat(page.locator(".chart canvas")).hasCount(5);
            check(page, "operate-" + name);
        }
        try (var visitor = STAGE.chromium().visitor("http://127.0.0.1:" + withTokens.port(), width, height, scheme)) {
            var page = visitor.newPage();
            page.navigate("/");
            assertThat(page.getByLabel("Token or API key")).isVisible();
            check(page, "sign-in-" + name);
        }
    }

    @Test
    void axe_finds_nothing_where_something_is_wrong_or_was_dropped() {
        try (var visitor = STAGE.visitor()) {
            var studio = Studio.open(visitor.newPage());
            var image = STAGE.service().client().upload("/images", SampleImages.png(32, 32), "image/png").id();
            studio.page()
                    .evaluate("id => sessionStorage.setItem('imagen.draft', JSON.stringify({ input: id, size: 'free',"
                            + " width: '5' }))", image.toString());
            studio.page().reload();
            Studio.isLoaded(studio.page().locator("fieldset.input img"));
            studio.make("x");
            assertThat(studio.page().locator("#width-error")).isVisible();
            check(studio.page(), "errors");
            // The other views are to look the same whether this ran before them or not.
            STAGE.service().client().send("DELETE", "/images/" + image, BodyPublishers.noBody());
        }
    }

    /** Only with the keyboard: the way from the prompt to the picture, and back. */
    @Test
    void everything_is_within_reach_of_the_keyboard_and_the_focus_comes_back() {
        try (var visitor = STAGE.visitor()) {
            var studio = Studio.open(visitor.newPage());
            var page = studio.page();
            assertThat(studio.tiles().first()).isVisible();
            page.keyboard().press("Tab");
            assertThat(page.getByText("Skip to the pictures")).isFocused();
            page.keyboard().press("Enter");
            page.keyboard().press("Tab");
            assertThat(studio.tiles().first().locator("a")).isFocused();
            page.keyboard().press("Enter");
            assertThat(studio.viewer()).isVisible();
            page.keyboard().press("Escape");
            assertThat(studio.viewer()).not().isVisible();
            assertThat(studio.tiles().first().locator("a")).isFocused();
        }
    }

    private static void check(Page page, String name) {
        Chromium.keep(page, name);
        var found = new AxeBuilder(page).withTags(RULES).analyze().getViolations().stream()
                .map(rule -> rule.getId() + ": " + rule.getNodes().stream().map(node -> node.getHtml()).toList())
                .toList();
        assertThat(found).as(name).isEmpty();
    }
}
