package dev.imagen.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.assertions.LocatorAssertions;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A gallery of ten thousand pictures. */
@Timeout(300)
class GalleryIT {

    @RegisterExtension
    static final PageStage STAGE = new PageStage();

    @BeforeAll
    static void fill() throws SQLException {
        ManyImages.insert(STAGE.database(), STAGE.service(), 10_000);
    }

    @Test
    void pictures_are_asked_for_only_near_the_view_and_each_comes_once() {
        try (var visitor = STAGE.visitor()) {
            Set<String> thumbnails = ConcurrentHashMap.newKeySet();
            var page = visitor.newPage();
            page.onRequest(request -> {
                if (request.url().endsWith("/thumbnail")) {
                    assertThat(thumbnails.add(request.url())).as(request.url()).isTrue();
                }
            });
            var studio = Studio.open(page);
            Studio.isLoaded(studio.tiles().first().locator("img"));
            assertThat(thumbnails).hasSizeLessThan(120);
            for (int pages = 2; pages <= 6; pages++) {
                page.keyboard().press("End");
                assertThat(studio.tiles()).hasCount(60 * pages,
                        new LocatorAssertions.HasCountOptions().setTimeout(20_000));
            }
            // Not the last one: when it comes into view, it soon is no longer that.
            studio.tiles().nth(340).scrollIntoViewIfNeeded();
            Studio.isLoaded(studio.tiles().nth(340).locator("img"));
            var shown = page.evaluate("[...document.querySelectorAll('.tile')].map(tile => tile.dataset.image)");
            assertThat((List<?>) shown).doesNotHaveDuplicates();
        }
    }

    @Test
    void a_new_picture_comes_to_the_top_without_a_reload() {
        try (var visitor = STAGE.visitor()) {
            var studio = Studio.open(visitor.newPage());
            assertThat(studio.tiles()).hasCount(60);
            var id = STAGE.service().client().submitAndWait("{\"prompt\": \"the newest\"}").path("image_id")
                    .textValue();
            assertThat(studio.tiles()).hasCount(61);
            assertThat(studio.tiles().first()).hasAttribute("data-image", id);
            Studio.isLoaded(studio.tiles().first().locator("img"));
        }
    }
}
