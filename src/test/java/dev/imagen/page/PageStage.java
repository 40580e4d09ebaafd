package dev.imagen.page;

import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.BrowserContext;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.sql.SQLException;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A browser, and a service that lets everybody in, for all tests of a class. No test may make the browser complain. */
final class PageStage implements BeforeAllCallback, AfterAllCallback, AfterEachCallback {

    private final TestDatabase database = new TestDatabase();
    private Chromium chromium;
    private TestService service;

    @Override
    public void beforeAll(ExtensionContext context) throws SQLException {
        chromium = Chromium.start();
        database.open();
        service = TestService.on(database).start();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        assertThat(chromium.complaints()).isEmpty();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        // Without a browser, the others were never there.
        if (service != null) {
            service.close();
            database.close();
        }
        if (chromium != null) {
            chromium.close();
        }
    }

    TestDatabase database() {
        return database;
    }

    TestService service() {
        return service;
    }

    Chromium chromium() {
        return chromium;
    }

    /** Somebody who has never been here, in a wide window. */
    BrowserContext visitor() {
        return chromium.visitor(url());
    }

    String url() {
        return "http://127.0.0.1:" + service.port();
    }
}
