package dev.imagen.page;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.ConsoleMessage;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.opentest4j.TestAbortedException;

/**
 * The Chromium of this machine. Where there is none the tests that need it are skipped, and say so; with
 * {@code IMAGEN_REQUIRE_BROWSER=1} in the environment they fail instead.
 */
final class Chromium implements AutoCloseable {

    private static final boolean REQUIRED = "1".equals(System.getenv("IMAGEN_REQUIRE_BROWSER"));

    private static final List<String> PLACES = List.of("/usr/bin/chromium", "/usr/bin/chromium-browser",
            "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");

    /** It is to talk with nobody but the service; and in a container it cannot have a sandbox of its own. */
    private static final List<String> ARGUMENTS = List.of("--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync");

    private final Playwright playwright;
    private final Browser browser;
    private final List<String> complaints = new CopyOnWriteArrayList<>();

    private Chromium(Path program) {
        this.playwright = Playwright
                .create(new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        this.browser = playwright.chromium()
                .launch(new BrowserType.LaunchOptions().setExecutablePath(program).setArgs(ARGUMENTS));
    }

    static Chromium start() {
        PlaywrightAssertions.setDefaultAssertionTimeout(20_000);
        return new Chromium(
                PLACES.stream().map(Path::of).filter(Files::isExecutable).findFirst().orElseThrow(Chromium::missing));
    }

    private static RuntimeException missing() {
        var message = "Chromium is not installed (looked for " + String.join(", ", PLACES) + ")";
        if (REQUIRED) {
            return new IllegalStateException(message + ", and IMAGEN_REQUIRE_BROWSER is 1");
        }
        System.out.println("page: skipped: " + message);
        return new TestAbortedException(message);
    }

    /** Somebody who has never been here, in a wide window. */
    BrowserContext visitor(String url) {
        return visitor(url, 1400, 900, ColorScheme.LIGHT);
    }

    /** Somebody who has never been here. */
    BrowserContext visitor(String url, int width, int height, ColorScheme scheme) {
        var context = browser.newContext(new Browser.NewContextOptions().setBaseURL(url).setViewportSize(width, height)
                .setColorScheme(scheme).setPermissions(List.of("clipboard-read", "clipboard-write")));
        context.setDefaultTimeout(30_000);
        context.onConsoleMessage(this::complain);
        context.onWebError(error -> complaints.add(error.error()));
        return context;
    }

    private void complain(ConsoleMessage message) {
        // What the service refuses is told on the console too: that is no fault of the page.
        if (message.type().equals("error") && !message.text().startsWith("Failed to load resource")) {
            complaints.add(message.text());
        }
    }

    /** What browsers said about the page: exceptions, and what its own policy forbade. */
    List<String> complaints() {
        return complaints;
    }

    /** Keeps how a page looks in {@code target/screenshots}. */
    static void keep(Page page, String name) {
        page.screenshot(new Page.ScreenshotOptions().setPath(Path.of("target", "screenshots", name + ".png")));
    }

    @Override
    public void close() {
        browser.close();
        playwright.close();
    }
}
