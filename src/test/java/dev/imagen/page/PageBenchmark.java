package dev.imagen.page;

import com.microsoft.playwright.Page;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import io.helidon.logging.common.LogConfig;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;

/**
 * How soon the page shows something: {@code mvn -q test-compile exec:exec@page}, with Chromium on the same machine.
 *
 * <ul>
 * <li>gallery: a browser that was never here opens a gallery of 10,000 pictures; from the start of the navigation to
 * the first paint with content, and to the first twelve pictures
 * <li>change: from the commit of a job's change by SQL to the frame that shows it on its card
 * </ul>
 */
final class PageBenchmark {

    private static final int IMAGES = 10_000;
    private static final int VISITS = 15;
    private static final int CHANGES = 100;

    private static final String PICTURES = """
            () => [...document.querySelectorAll('.tile img')].filter(img => img.complete && img.naturalWidth).length >= 12
                && performance.now()""";

    /** Tells when the browser has painted a card with this state. */
    private static final String SEEN = """
            id => globalThis.seen = new Promise(resolve => {
              const look = () => document.querySelector(`[data-job="${id}"][data-status="cancelled"]`)
                ? requestAnimationFrame(() => setTimeout(() => resolve(Date.now())))
                : requestAnimationFrame(look);
              look();
            })""";

    private PageBenchmark() {}

    public static void main(String[] args) throws Exception {
        LogConfig.configureRuntime();
        var database = new TestDatabase();
        database.open();
        try (var service = TestService.on(database).start(); var chromium = Chromium.start()) {
            ManyImages.insert(database, service, IMAGES);
            System.out.printf("%-40s %8s %8s %8s%n", "ms", "p50", "p90", "max");
            gallery(chromium, service);
            changes(chromium, service, database);
        }
        System.exit(0);
    }

    private static void gallery(Chromium chromium, TestService service) {
        var painted = new ArrayList<Double>();
        var pictures = new ArrayList<Double>();
        for (int visit = 0; visit < VISITS; visit++) {
            try (var visitor = chromium.visitor("http://127.0.0.1:" + service.port())) {
                var page = visitor.newPage();
                page.navigate("/");
                pictures.add(((Number) page.waitForFunction(PICTURES).jsonValue()).doubleValue());
                painted.add(
                        ((Number) page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
                                .doubleValue());
            }
        }
        print("gallery of 10,000: first paint", painted);
        print("gallery of 10,000: twelve pictures", pictures);
    }

    private static void changes(Chromium chromium, TestService service, TestDatabase database) throws SQLException {
        try (var visitor = chromium.visitor("http://127.0.0.1:" + service.port())) {
            var studio = Studio.open(visitor.newPage());
            var seen = new ArrayList<Double>();
            for (int change = 0; change < CHANGES; change++) {
                var id = service.client().submit("{\"prompt\": \"later\", \"run_at\": \"2099-01-01T00:00:00Z\"}").id();
                seen.add(change(studio.page(), id, database));
            }
            print("change by SQL: commit to its frame", seen);
        }
    }

    private static double change(Page page, UUID id, TestDatabase database) throws SQLException {
        page.waitForSelector("[data-job='" + id + "'][data-status=pending]");
        page.evaluate("id => { (" + SEEN + ")(id) }", id.toString());
        database.execute("select imagen.cancel_job('" + id + "')");
        long committed = System.currentTimeMillis();
        return ((Number) page.evaluate("globalThis.seen")).doubleValue() - committed;
    }

    private static void print(String name, List<Double> measured) {
        Collections.sort(measured);
        System.out.printf("%-40s %8.0f %8.0f %8.0f%n", name, measured.get(measured.size() / 2),
                measured.get(measured.size() * 9 / 10), measured.getLast());
    }
}
