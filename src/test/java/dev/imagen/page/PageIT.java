package dev.imagen.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import dev.imagen.testing.SampleImages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Make, watch and keep, in a real browser. */
@Timeout(300)
class PageIT {

    @RegisterExtension
    static final PageStage STAGE = new PageStage();

    private BrowserContext visitor;
    private Page page;
    private Studio studio;

    @BeforeEach
    void open() throws SQLException {
        STAGE.database().clear();
        STAGE.service().pipeline().gate((_, _) -> {});
        visitor = STAGE.visitor();
        page = visitor.newPage();
        studio = Studio.open(page);
    }

    @AfterEach
    void close() {
        visitor.close();
    }

    private JsonNode newestJob() {
        return STAGE.service().client().get("/jobs?limit=1").json().path("jobs").path(0);
    }

    private JsonNode newestImage() {
        return STAGE.service().client().get("/images?limit=1").json().path("images").path(0);
    }

    @Test
    void a_prompt_becomes_a_card_then_a_picture_that_can_be_looked_at_deleted_and_brought_back() {
        page.getByText("ink", new Page.GetByTextOptions().setExact(true)).click();
        studio.make("a harbour at dusk");
        studio.awaitDone("a harbour at dusk");
        assertThat(newestJob().path("style").textValue()).isEqualTo("ink");

        assertThat(studio.tiles()).hasCount(1);
        studio.tiles().first().click();
        assertThat(studio.viewer()).isVisible();
        Studio.isLoaded(studio.viewer().locator("img"));
        assertThat(studio.viewer()).containsText("black ink drawing");
        assertThat(studio.viewer()).containsText(newestImage().path("seed").asText());
        page.keyboard().press("Delete");
        assertThat(studio.viewer()).not().isVisible();
        assertThat(studio.tiles()).hasCount(0);
        // It is gone from the page before the service has answered.
        assertThat(page.getByText("Picture deleted")).isVisible();
        assertThat(STAGE.service().client().get("/images").json().path("images")).isEmpty();
        assertThat(studio.card("a harbour at dusk")).containsText("The picture was deleted.");

        page.getByText("Undo").click();
        assertThat(studio.tiles()).hasCount(1);
        Studio.isLoaded(studio.tiles().first().locator("img"));
        assertThat(STAGE.service().client().get("/images").json().path("images")).hasSize(1);
    }

    @Test
    void a_running_job_shows_its_steps_and_can_be_cancelled_and_tried_again() {
        var seen = new CountDownLatch(1);
        STAGE.service().pipeline().gate((_, attempt) -> {
            attempt.finished(3, 20);
            seen.await();
            attempt.preview(SampleImages.png(64, 48));
            attempt.finished(4, 20);
            new CountDownLatch(1).await();
        });
        studio.make("a long way");
        var card = studio.awaitCard("a long way", "Running");
        assertThat(card).containsText("step 3 of 20");
        seen.countDown();
        Studio.isLoaded(card.locator("img[src^='data:image/jpeg']"));

        studio.button(card, "Cancel").click();
        studio.awaitCard("a long way", "Cancelled");
        STAGE.service().pipeline().gate((_, _) -> {});
        studio.button(card, "Try again").click();
        studio.awaitDone("a long way");
    }

    @Test
    void a_step_that_comes_right_behind_its_job_is_not_lost() {
        var steps = page.evaluate("""
                async () => {
                  const { jobs, takeProgress, takeSoon } = await import('/page/of-a-test/jobs.js');
                  takeSoon({ id: 'a', status: 'running', attempt: 1, version: 1 }, () => {});
                  takeProgress({ job_id: 'a', step: 7, steps: 20 });
                  await new Promise(resolve => setTimeout(resolve, 100));
                  return jobs.get().progress.get('a')?.step ?? null;
                }""");
        assertThat(steps).isEqualTo(7);
    }

    @Test
    void a_failed_job_says_why() {
        STAGE.service().pipeline().failAll("the engine is out of paint");
        studio.make("a red barn");
        var card = studio.awaitCard("a red barn", "Failed");
        assertThat(card).containsText("the engine is out of paint");
        STAGE.service().pipeline().gate((_, _) -> {});
        studio.button(card, "Try again").click();
        studio.awaitDone("a red barn");
    }

    @Test
    void jobs_inserted_by_sql_appear_with_their_place_in_line() throws SQLException {
        STAGE.database().execute("select imagen.pause()");
        try {
            insert("the first");
            insert("the second");
            assertThat(studio.awaitCard("the first", "Queued")).containsText("number 1 in line");
            assertThat(studio.awaitCard("the second", "Queued")).containsText("number 2 in line");
            studio.button(studio.card("the first"), "Cancel").click();
            studio.awaitCard("the first", "Cancelled");
            assertThat(studio.card("the second")).containsText("number 1 in line");
        } finally {
            STAGE.database().execute("select imagen.resume()");
        }
        studio.awaitDone("the second");
    }

    private void insert(String prompt) throws SQLException {
        STAGE.database().execute("insert into imagen.jobs (owner_user_id, prompt) values ('" + STAGE.service().owner()
                + "', '" + prompt + "')");
    }

    @Test
    void what_the_service_refuses_is_said_at_its_field() {
        page.getByLabel("Size", new Page.GetByLabelOptions().setExact(true)).selectOption("free");
        studio.field("Width").fill("5");
        studio.field("Steps").fill("151");
        studio.make("a bay");
        assertThat(page.locator("#width-error")).hasText("must be a whole number from 16 to 8192");
        assertThat(studio.field("Width")).hasAttribute("aria-invalid", "true");
        assertThat(studio.field("Width")).isFocused();
        studio.field("Width").fill("64");
        assertThat(page.locator("#width-error")).hasCount(0);
        studio.field("Height").fill("48");
        studio.make("a bay");
        assertThat(page.locator("#steps-error")).containsText("150");
        studio.field("Steps").fill("150");
        studio.make("a bay");
        studio.awaitDone("a bay");
        assertThat(newestImage().path("width").intValue()).isEqualTo(64);
        assertThat(newestImage().path("steps").intValue()).isEqualTo(150);
    }

    @Test
    void an_empty_prompt_is_refused_in_words() {
        studio.button(page.locator("form"), "Make").click();
        assertThat(page.locator("#prompt-error")).isVisible();
        assertThat(studio.field("Prompt")).isFocused();
        assertThat(page.locator(".card")).hasCount(0);
    }

    @Test
    void a_seed_that_is_locked_stays_and_another_is_thrown_by_the_dice() {
        studio.field("Seed").fill("7");
        studio.button(page.locator("form"), "Keep the seed for the next picture").click();
        studio.make("one");
        studio.awaitDone("one");
        assertThat(studio.field("Seed")).hasValue("7");
        assertThat(newestImage().path("seed").intValue()).isEqualTo(7);
        studio.button(page.locator("form"), "Keep the seed for the next picture").click();
        studio.button(page.locator("form"), "Throw the dice for a seed").click();
        var thrown = studio.field("Seed").inputValue();
        assertThat(thrown).matches("\\d{1,10}").isNotEqualTo("7");
        studio.make("two");
        studio.awaitDone("two");
        assertThat(studio.field("Seed")).hasValue("");
        assertThat(newestImage().path("seed").asText()).isEqualTo(thrown);
    }

    @Test
    void a_lock_keeps_the_seed_of_a_random_picture_too() {
        studio.button(page.locator("form"), "Keep the seed for the next picture").click();
        studio.make("one");
        studio.awaitDone("one");
        assertThat(studio.field("Seed")).hasValue(newestImage().path("seed").asText());
    }

    @Test
    void a_picture_is_made_again_varied_put_into_the_form_and_begun_with() {
        STAGE.service().client()
                .submitAndWait("{\"prompt\": \"a windmill\", \"style\": \"oil\", \"seed\": 5, \"steps\": 12,"
                        + " \"width\": 96, \"height\": 64}");
        var first = newestImage();
        assertThat(studio.tiles()).hasCount(1);

        look(studio.tiles().first());
        studio.button(studio.viewer(), "Make again").click();
        assertThat(studio.tiles()).hasCount(2);
        var again = newestImage();
        assertThat(again.path("seed").intValue()).isEqualTo(5);
        assertThat(again.path("prompt")).isEqualTo(first.path("prompt"));
        assertThat(again.path("width").intValue()).isEqualTo(96);

        look(studio.tiles().first());
        page.keyboard().press("v");
        assertThat(studio.tiles()).hasCount(3);
        assertThat(newestImage().path("seed").longValue()).isNotEqualTo(5);
        assertThat(newestImage().path("prompt")).isEqualTo(first.path("prompt"));

        look(studio.tiles().last());
        page.keyboard().press("e");
        assertThat(studio.viewer()).not().isVisible();
        assertThat(studio.field("Prompt")).hasValue("a windmill");
        assertThat(studio.field("Seed")).hasValue("5");
        assertThat(studio.field("Steps")).hasValue("12");
        assertThat(studio.chip("oil")).isChecked();

        look(studio.tiles().last());
        page.keyboard().press("i");
        Studio.isLoaded(page.locator("fieldset.input img"));
        studio.make("a windmill in winter");
        studio.awaitDone("a windmill in winter");
        assertThat(newestJob().path("input_image_id")).isEqualTo(first.path("id"));
    }

    private void look(Locator tile) {
        tile.click();
        assertThat(studio.viewer()).isVisible();
    }

    @Test
    void in_the_viewer_keys_lead_from_picture_to_picture_and_back_to_the_gallery() {
        for (var prompt : List.of("first", "second", "third")) {
            STAGE.service().client().submitAndWait("{\"prompt\": \"" + prompt + "\"}");
        }
        assertThat(studio.tiles()).hasCount(3);
        look(studio.tiles().first());
        assertThat(studio.viewer().locator("h2")).hasText("third");
        page.keyboard().press("ArrowRight");
        assertThat(studio.viewer().locator("h2")).hasText("second");
        page.keyboard().press("ArrowRight");
        page.keyboard().press("ArrowRight");
        assertThat(studio.viewer().locator("h2")).hasText("first");
        page.keyboard().press("ArrowLeft");
        assertThat(studio.viewer().locator("h2")).hasText("second");
        page.reload();
        assertThat(studio.viewer().locator("h2")).hasText("second");
        page.keyboard().press("Escape");
        assertThat(studio.viewer()).not().isVisible();
    }

    @Test
    void a_picture_deleted_in_the_viewer_is_brought_back_there_and_a_held_key_deletes_no_further_one() {
        for (var prompt : List.of("first", "second", "third")) {
            STAGE.service().client().submitAndWait("{\"prompt\": \"" + prompt + "\"}");
        }
        assertThat(studio.tiles()).hasCount(3);
        look(studio.tiles().first());
        page.keyboard().down("Delete");
        page.keyboard().down("Delete");
        page.keyboard().down("Delete");
        assertThat(studio.viewer().getByText("Picture deleted")).isVisible();
        assertThat(studio.viewer().locator("h2")).hasText("second");
        assertThat(studio.tiles()).hasCount(2);
        page.keyboard().up("Delete");
        studio.viewer().getByText("Undo").click();
        assertThat(studio.tiles()).hasCount(3);
    }

    @Test
    void what_is_copied_as_sql_and_as_curl_makes_the_same_picture() throws Exception {
        STAGE.service().client()
                .submitAndWait("{\"prompt\": \"a fox's den\", \"seed\": 3, \"width\": 64, \"height\": 64}");
        var first = newestImage();
        look(studio.tiles().first());
        studio.button(studio.viewer(), "Copy as SQL").click();
        assertThat(page.getByText("Copied").first()).isVisible();
        STAGE.database().execute(clipboard().replaceFirst("returning id;$", ""));
        assertThat(studio.tiles()).hasCount(2);
        assertThat(newestImage().path("sha256")).isEqualTo(first.path("sha256"));

        studio.button(studio.viewer(), "Copy as curl").click();
        page.waitForFunction("() => navigator.clipboard.readText().then(text => text.startsWith('curl'))");
        var shell = new ProcessBuilder("sh", "-c", clipboard()).redirectErrorStream(true).start();
        assertThat(new String(shell.getInputStream().readAllBytes())).contains("\"status\":\"pending\"");
        assertThat(studio.tiles()).hasCount(3);
        assertThat(newestImage().path("sha256")).isEqualTo(first.path("sha256"));
    }

    private String clipboard() {
        return (String) page.evaluate("navigator.clipboard.readText()");
    }

    @Test
    void a_downloaded_picture_that_is_dropped_onto_the_page_fills_the_form() {
        STAGE.service().client()
                .submitAndWait("{\"prompt\": \"a glacier\", \"style\": \"ink\", \"seed\": 11, \"steps\": 9}");
        look(studio.tiles().first());
        var file = page.waitForDownload(() -> studio.button(studio.viewer(), "Download").click());
        assertThat(file.suggestedFilename()).endsWith(".png");
        page.keyboard().press("Escape");
        drop("image/png", bytes(file.path()));
        assertThat(studio.field("Prompt")).hasValue("a glacier");
        assertThat(studio.field("Seed")).hasValue("11");
        assertThat(studio.field("Steps")).hasValue("9");
        assertThat(studio.chip("ink")).isChecked();
    }

    @Test
    void any_other_picture_that_is_dropped_is_where_the_next_one_begins() {
        drop("image/jpeg", SampleImages.jpeg(64, 48));
        Studio.isLoaded(page.locator("fieldset.input img"));
        studio.make("begun with a photograph");
        studio.awaitDone("begun with a photograph");
        assertThat(newestJob().path("input_image_id").isNull()).isFalse();
        drop("text/plain", new byte[]{'x'});
        assertThat(page.getByText("That is no PNG, JPEG or WebP.")).isVisible();
    }

    private static byte[] bytes(Path path) {
        try {
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As a file from a folder. */
    private void drop(String type, byte[] content) {
        var transfer = page.evaluateHandle("""
                ([type, base64]) => {
                  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
                  const transfer = new DataTransfer();
                  transfer.items.add(new File([bytes], 'picture', { type }));
                  return transfer;
                }""", List.of(type, Base64.getEncoder().encodeToString(content)));
        page.dispatchEvent("body", "dragenter", Map.of("dataTransfer", transfer));
        assertThat(page.locator(".drop")).isVisible();
        page.dispatchEvent("body", "drop", Map.of("dataTransfer", transfer));
        assertThat(page.locator(".drop")).hasCount(0);
    }

    @Test
    void several_pictures_of_one_job_all_come_to_the_gallery() {
        studio.field("Pictures").fill("3");
        studio.make("three bays");
        assertThat(studio.awaitDone("three bays")).containsText("3 pictures");
        assertThat(studio.tiles()).hasCount(3);
    }

    @Test
    void what_was_cleared_away_stays_away_and_what_was_written_stays_after_a_reload() {
        studio.make("done with");
        studio.awaitDone("done with");
        page.getByText("Clear finished").click();
        assertThat(page.locator(".card")).hasCount(0);
        studio.field("Prompt").fill("not sent yet");
        page.reload();
        studio.isLive();
        assertThat(studio.field("Prompt")).hasValue("not sent yet");
        assertThat(page.locator(".card")).hasCount(0);
    }
}
