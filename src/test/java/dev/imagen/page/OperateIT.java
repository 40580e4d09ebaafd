package dev.imagen.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.AriaRole;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an operator sees and does at {@code /operate}. */
@Timeout(300)
class OperateIT {

    @RegisterExtension
    static final PageStage STAGE = new PageStage();

    private BrowserContext visitor;
    private Page page;

    @BeforeEach
    void open() throws SQLException {
        STAGE.database().clear();
        STAGE.service().pipeline().gate((_, _) -> {});
        visitor = STAGE.visitor();
        page = visitor.newPage();
        page.navigate("/operate");
    }

    @AfterEach
    void close() throws SQLException {
        STAGE.database().execute("select imagen.resume()");
        visitor.close();
    }

    private Locator button(String name) {
        return page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    private Locator row(String heading, String of) {
        return page.getByRole(AriaRole.GROUP, new Page.GetByRoleOptions().setName(heading).setExact(true)).locator("tr")
                .filter(new Locator.FilterOptions().setHasText(of));
    }

    @Test
    void the_queue_is_paused_and_goes_on() {
        button("Pause all").click();
        assertThat(page.getByText("Everything is paused.")).isVisible();
        var id = STAGE.service().client().submit();
        assertThat(page.locator(".totals div").first()).containsText("1");
        assertThat(STAGE.service().client().get("/jobs/" + id).json().path("status").textValue()).isEqualTo("pending");
        button("Resume all").click();
        assertThat(page.getByText("Everything is paused.")).hasCount(0);
        STAGE.service().client().get("/jobs/" + id + "/events", "Accept", "text/event-stream");
        assertThat(STAGE.service().client().get("/jobs/" + id).json().path("status").textValue()).isEqualTo("done");
    }

    @Test
    void one_backend_is_paused_and_goes_on() {
        button("Pause mock").click();
        assertThat(button("Resume mock")).isVisible();
        assertThat(STAGE.service().client().get("/pause").json().path("paused").path(0).path("backend").textValue())
                .isEqualTo("mock");
        button("Resume mock").click();
        assertThat(button("Pause mock")).isVisible();
        assertThat(STAGE.service().client().get("/pause").json().path("paused")).isEmpty();
    }

    @Test
    void workers_show_what_they_run_and_failures_are_told_by_reason() {
        STAGE.service().pipeline().failAll("the engine is out of paint");
        for (int i = 0; i < 3; i++) {
            STAGE.service().client().submitAndWait("{\"prompt\": \"a bay\"}");
        }
        STAGE.service().pipeline().holdAll();
        STAGE.service().client().submit();
        page.reload();
        assertThat(row("Failures by reason", "the engine is out of paint")).containsText("3");
        assertThat(row("Workers", "alive")).containsText(", attempt 1, job ");
        button("Cancel running").click();
        button("Yes").click();
        assertThat(page.getByText("1 job changed")).isVisible();
        assertThat(row("Workers", "alive")).containsText("idle");
    }

    @Test
    void many_jobs_are_cancelled_and_tried_again_only_when_somebody_is_sure() {
        STAGE.service().client().send("POST", "/pause", BodyPublishers.ofString("{}"));
        for (int i = 0; i < 5; i++) {
            STAGE.service().client().submit();
        }
        button("Cancel waiting").click();
        assertThat(page.getByText("Cancel all waiting jobs?")).isVisible();
        button("No").click();
        assertThat(page.getByText("Cancel all waiting jobs?")).hasCount(0);
        assertThat(pending()).isEqualTo(5);
        button("Cancel waiting").click();
        button("Yes").click();
        assertThat(page.getByText("5 jobs changed")).isVisible();
        assertThat(pending()).isZero();
    }

    @Test
    void all_failed_jobs_are_tried_again() {
        STAGE.service().pipeline().failAll("the engine is out of paint");
        for (int i = 0; i < 3; i++) {
            STAGE.service().client().submitAndWait("{\"prompt\": \"a bay\"}");
        }
        STAGE.service().pipeline().gate((_, _) -> {});
        try (var events = STAGE.service().client().events("/jobs/events")) {
            assertThat(events.comment()).isEqualTo("open");
            button("Try failed again").click();
            button("Yes").click();
            assertThat(page.getByText("3 jobs changed")).isVisible();
            for (int i = 0; i < 3; i++) {
                events.awaitStatus("done");
            }
        }
    }

    private int pending() {
        return STAGE.service().client().get("/jobs?status=pending").json().path("jobs").size();
    }

    @Test
    void numbers_that_are_old_say_so_until_there_are_new_ones() {
        assertThat(page.locator(".totals")).isVisible();
        page.route("**/queue", Route::abort);
        assertThat(page.getByText("These numbers are old.")).isVisible();
        assertThat(page.locator(".totals")).isVisible();
        page.unroute("**/queue");
        assertThat(page.getByText("These numbers are old.")).hasCount(0);
    }

    @Test
    void charts_have_their_numbers_as_tables_too() {
        STAGE.service().client().submitAndWait("{\"prompt\": \"a bay\", \"count\": 2}");
        page.reload();
        assertThat(page.locator(".chart canvas")).hasCount(5);
        page.getByText("As a table: Pictures by day").click();
        var last = page.locator("figure").filter(new Locator.FilterOptions().setHasText("Pictures by day"))
                .locator("tbody tr").last();
        assertThat(last).containsText("2");
    }
}
