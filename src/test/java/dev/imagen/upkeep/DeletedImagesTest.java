package dev.imagen.upkeep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.Settings.Retention;
import dev.imagen.storage.ImageStores;
import dev.imagen.testing.LogRecords;
import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** Deleted images: first the bytes, then the row. */
@Tag("postgres")
@Isolated("counts what its package warns of")
class DeletedImagesTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String OLD = "now() - interval '301 seconds'";
    private static final String YOUNG = "now() - interval '270 seconds'";

    private static final int RACED = 200;

    private final UpkeepRows rows = new UpkeepRows(DB);
    private final MemoryStore store = new MemoryStore();
    private final Chore chore = new FileRemoval<>("deleted images", new DeletedImages(DB.database(), store));

    @BeforeEach
    void clear() throws SQLException {
        rows.clear();
    }

    private void deleted(String path) throws SQLException {
        rows.deletedImage("memory", path, OLD);
        store.put(path);
    }

    private void run() {
        chore.run(() -> true);
    }

    @Test
    void file_and_row_of_an_image_go_five_minutes_after_it_was_deleted() throws SQLException {
        deleted("old.png");
        rows.deletedImage("memory", "young.png", YOUNG);
        rows.image("shown.png", "now() - interval '1 year'");
        store.put("young.png", "shown.png");
        run();
        assertThat(store.all()).containsExactly("shown.png", "young.png");
        assertThat(rows.imagePaths()).containsExactly("shown.png", "young.png");
    }

    @Test
    void its_thumbnail_goes_with_the_row() throws SQLException {
        deleted("old.png");
        rows.deletedImage("memory", "young.png", YOUNG);
        DB.execute("insert into imagen.thumbnails (image_id, jpeg) select id, '' from imagen.images");
        run();
        assertThat(DB.rows("select path from imagen.thumbnails join imagen.images on id = image_id")).singleElement()
                .satisfies(row -> assertThat(row).containsEntry("path", "young.png"));
        assertThat(DB.rows("select from imagen.thumbnails")).hasSize(1);
    }

    @Test
    void the_row_is_still_there_when_the_file_goes() throws SQLException {
        deleted("a.png");
        var seen = new ArrayList<String>();
        store.beforeDelete(key -> seen.addAll(
                DB.database().query("select path from imagen.images where path = ?", row -> row.text("path"), key)));
        run();
        assertThat(seen).containsExactly("a.png");
    }

    @Test
    void after_a_crash_between_file_and_row_the_next_round_removes_the_row() throws Exception {
        deleted("a.png");
        store.delete("a.png");
        run();
        assertThat(rows.imagePaths()).isEmpty();
    }

    @Test
    void a_store_that_fails_leaves_the_rows_for_the_next_round_and_is_logged_once() throws SQLException {
        deleted("a.png");
        deleted("b.png");
        deleted("c.png");
        store.failFor(_ -> true);
        try (var log = LogRecords.of("dev.imagen.upkeep")) {
            run();
            assertThat(log.warnings()).singleElement().asString().contains("3 deleted images")
                    .contains("no answer about a.png");
        }
        assertThat(rows.imagePaths()).containsExactly("a.png", "b.png", "c.png");
        store.failFor(_ -> false);
        run();
        assertThat(rows.imagePaths()).isEmpty();
        assertThat(store.all()).isEmpty();
    }

    @Test
    void a_store_that_goes_on_failing_for_long_is_not_asked_about_the_rest_of_a_batch() throws SQLException {
        deleted("a.png");
        deleted("b.png");
        deleted("c.png");
        var asked = new ArrayList<String>();
        store.failFor(key -> asked.add(key));
        var impatient = new FileRemoval<>("deleted images", new DeletedImages(DB.database(), store), Duration.ZERO);
        try (var log = LogRecords.of("dev.imagen.upkeep")) {
            impatient.run(() -> true);
            assertThat(log.warnings()).singleElement().asString().contains("3 deleted images");
        }
        assertThat(asked).hasSize(1);
        store.failFor(_ -> false);
        impatient.run(() -> true);
        assertThat(rows.imagePaths()).isEmpty();
    }

    @Test
    void one_file_that_cannot_be_removed_keeps_no_other() throws SQLException {
        deleted("a.png");
        deleted("b.png");
        deleted("c.png");
        store.failFor("b.png"::equals);
        run();
        assertThat(rows.imagePaths()).containsExactly("b.png");
        assertThat(store.all()).containsExactly("b.png");
    }

    @Test
    void a_batch_that_fails_as_a_whole_ends_the_round_and_the_next_round_goes_on_behind_it() throws SQLException {
        DB.execute("""
                insert into imagen.images (owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256,
                                           backend, model, prompt, deleted_at)
                select gen_random_uuid(), 'memory', 'broken-' || i, 'image/png', 1, 1, 1, '', 'mock', 'm', 'p',
                       now() - interval '1 day'
                  from generate_series(1, %s) as i""".formatted(FileRemoval.BATCH));
        deleted("whole.png");
        store.failFor(key -> key.startsWith("broken"));
        run();
        assertThat(store.all()).containsExactly("whole.png");
        run();
        assertThat(store.all()).isEmpty();
        store.failFor(_ -> false);
        run();
        assertThat(rows.imagePaths()).isEmpty();
    }

    @Test
    void an_image_that_somebody_is_just_restoring_stays_whole() throws SQLException {
        deleted("a.png");
        try (Connection open = DB.superuser(); var statement = open.createStatement()) {
            open.setAutoCommit(false);
            statement.execute("update imagen.images set deleted_at = null");
            run();
            open.commit();
        }
        run();
        assertThat(store.all()).containsExactly("a.png");
        assertThat(rows.imagePaths()).containsExactly("a.png");
    }

    @Test
    void an_image_whose_removal_has_begun_is_not_restored_whatever_the_clock_says() throws SQLException {
        deleted("a.png");
        var refused = new ArrayList<SQLException>();
        store.beforeDelete(_ -> {
            // As if the clock had been set back: by time alone it could be restored.
            for (var sql : List.of("update imagen.images set deleted_at = clock_timestamp()",
                    "select imagen.restore_image(id) from imagen.images",
                    "update imagen.images set deleted_at = null")) {
                try {
                    DB.execute(sql);
                } catch (SQLException e) {
                    refused.add(e);
                }
            }
        });
        run();
        assertThat(refused).extracting(SQLException::getSQLState).containsExactly("PT409", "23514");
        assertThat(rows.imagePaths()).isEmpty();
    }

    /** Images whose time runs out just now, restored and removed at once: each ends whole, or not at all. */
    @Test
    @Timeout(60)
    void restores_that_race_with_the_upkeep_leave_no_image_without_its_file() throws Exception {
        for (int i = 0; i < RACED; i++) {
            rows.image(i + ".png", "now()");
            store.put(i + ".png");
        }
        var ids = DB.rows("select id from imagen.images").stream().map(row -> (UUID) row.get("id")).toList();
        try (var restorers = Executors.newVirtualThreadPerTaskExecutor()) {
            var restoring = restorers.submit(() -> restoreEachAtItsLastMoment(ids));
            while (!restoring.isDone()) {
                run();
            }
            restoring.get();
        }
        run();
        assertThat(rows.imagePaths()).containsExactlyElementsOf(store.all());
        DB.execute("update imagen.images set deleted_at = " + OLD + " where deleted_at is not null");
        run();
        assertThat(rows.imagePaths()).containsExactlyElementsOf(store.all());
    }

    /** A few milliseconds before the end of its time, or after it. */
    private static Void restoreEachAtItsLastMoment(List<UUID> ids) throws SQLException {
        try (Connection connection = DB.superuser(); var delete = connection.prepareStatement("""
                update imagen.images set deleted_at = clock_timestamp() - imagen.restore_time()
                                                      + random() * interval '5 milliseconds'
                 where id = ?"""); var restore = connection.prepareStatement("select imagen.restore_image(?)")) {
            for (UUID id : ids) {
                delete.setObject(1, id);
                delete.execute();
                restore.setObject(1, id);
                try {
                    restore.execute();
                } catch (SQLException e) {
                    assertThat(e.getSQLState()).isIn("PT409", "PT404");
                }
            }
        }
        return null;
    }

    @Test
    void images_of_another_store_stay_and_are_told_of_once() throws SQLException {
        rows.deletedImage("s3", "a.png", OLD);
        store.put("a.png");
        var foreign = new ForeignImages(DB.database(), List.of(store.bucket()));
        try (var log = LogRecords.of("dev.imagen.upkeep")) {
            for (int round = 0; round < 2; round++) {
                foreign.run(() -> true);
                run();
            }
            assertThat(log.warnings()).singleElement().asString().contains("s3").contains("memory");
        }
        assertThat(rows.imagePaths()).containsExactly("a.png");
        assertThat(store.all()).containsExactly("a.png");
    }

    @Test
    void an_image_goes_from_the_store_that_its_row_names() throws SQLException {
        var former = new MemoryStore("former");
        rows.deletedImage("memory", "a.png", OLD);
        rows.deletedImage("former", "b.png", OLD);
        store.put("a.png", "b.png");
        former.put("a.png", "b.png");
        var retention = new Retention(Optional.empty(), Optional.empty(), Duration.ofMinutes(10));
        try (var log = LogRecords.of("dev.imagen.upkeep")) {
            Upkeep.of(DB.database(), new ImageStores(store, former), retention).turn();
            assertThat(log.warnings()).isEmpty();
        }
        assertThat(store.all()).containsExactly("b.png");
        assertThat(former.all()).containsExactly("a.png");
        assertThat(rows.imagePaths()).isEmpty();
    }

    @Test
    void where_no_image_of_another_store_was_deleted_nothing_is_told() throws SQLException {
        rows.deletedImage("s3", "young.png", YOUNG);
        deleted("ours.png");
        try (var log = LogRecords.of("dev.imagen.upkeep")) {
            new ForeignImages(DB.database(), List.of(store.bucket())).run(() -> true);
            assertThat(log.warnings()).isEmpty();
        }
    }
}
