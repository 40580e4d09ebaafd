package dev.imagen.upkeep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.SettingsLoader;
import dev.imagen.storage.ImageStores;
import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Retention by age. */
@Tag("postgres")
class OldRowsTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Duration HOUR = Duration.ofHours(1);
    private static final String OLD = "now() - interval '61 minutes'";
    private static final String YOUNG = "now() - interval '59 minutes'";

    private final UpkeepRows rows = new UpkeepRows(DB);

    @BeforeEach
    void clear() throws SQLException {
        rows.clear();
    }

    @Test
    void by_default_everything_is_kept() throws SQLException {
        var job = rows.job("done", "now() - interval '30 years'");
        rows.image("a.png", "now() - interval '30 years'");
        var defaults = SettingsLoader.load(Map.of("imagen.home", "target/no-home")).retention();
        Upkeep.of(DB.database(), new ImageStores(new MemoryStore()), defaults).turn();
        assertThat(DB.row("select last_round_at > 'epoch' as ran from imagen.upkeep")).containsEntry("ran", true);
        assertThat(rows.jobs()).containsExactly(job);
        assertThat(DB.row("select deleted_at from imagen.images")).containsEntry("deleted_at", null);
    }

    @Test
    void jobs_go_that_ended_longer_ago_than_the_age_however_they_ended() throws SQLException {
        for (String status : new String[]{"done", "failed", "cancelled"}) {
            rows.job(status, OLD);
        }
        var young = rows.job("done", YOUNG);
        run(OldRows.jobs(DB.database(), HOUR));
        assertThat(rows.jobs()).containsExactly(young);
    }

    @Test
    void jobs_that_have_not_ended_stay_however_old_they_are() throws SQLException {
        // A retried job's time of its end is taken away; even if it were not, the job would stay.
        var jobs = new Object[]{rows.job("pending", "null"), rows.job("running", "null"), rows.job("pending", OLD),
                rows.job("running", OLD)};
        DB.execute("update imagen.jobs set created_at = now() - interval '1 year'");
        run(OldRows.jobs(DB.database(), HOUR));
        assertThat(rows.jobs()).hasSize(jobs.length);
    }

    @Test
    void an_image_and_its_usage_outlive_their_job() throws SQLException {
        var job = rows.job("done", OLD);
        rows.imageOf(job, "a.png");
        rows.attempt(job, 1, "done", OLD);
        DB.execute("insert into imagen.usage (job_id, attempt, owner_user_id, backend, model, outcome, duration_ms)"
                + " select id, 1, owner_user_id, 'mock', 'm', 'done', 1 from imagen.jobs");
        run(OldRows.jobs(DB.database(), HOUR));
        assertThat(rows.jobs()).isEmpty();
        assertThat(DB.row("select job_id, deleted_at from imagen.images")).containsEntry("job_id", null)
                .containsEntry("deleted_at", null);
        assertThat(DB.row("select job_id from imagen.usage")).containsEntry("job_id", null);
        assertThat(DB.rows("select from imagen.job_attempts")).isEmpty();
    }

    @Test
    void a_job_stays_until_the_files_of_its_attempts_have_been_looked_for() throws SQLException {
        var job = rows.job("failed", OLD);
        rows.attempt(job, 1, "rescued", OLD);
        run(OldRows.jobs(DB.database(), HOUR));
        assertThat(rows.jobs()).containsExactly(job);
        DB.execute("update imagen.job_attempts set files_checked_at = now()");
        run(OldRows.jobs(DB.database(), HOUR));
        assertThat(rows.jobs()).isEmpty();
    }

    @Test
    void a_job_that_somebody_is_just_retrying_stays_and_is_not_waited_for() throws SQLException {
        var job = rows.job("failed", OLD);
        rows.job("failed", OLD);
        try (Connection open = DB.superuser(); var statement = open.createStatement()) {
            open.setAutoCommit(false);
            statement.execute("select imagen.retry_job('" + job + "')");
            run(OldRows.jobs(DB.database(), HOUR));
            open.commit();
        }
        assertThat(rows.jobs()).containsExactly(job);
    }

    @Test
    void each_statement_deletes_a_batch_and_the_next_one_follows_only_while_it_may() throws SQLException {
        DB.execute(
                "insert into imagen.jobs (owner_user_id, prompt, status, completed_at) select gen_random_uuid(), 'x',"
                        + " 'done', " + OLD + " from generate_series(1, " + (2 * OldRows.BATCH + 1) + ")");
        OldRows.jobs(DB.database(), HOUR).run(() -> false);
        assertThat(rows.jobs()).hasSize(OldRows.BATCH + 1);
        run(OldRows.jobs(DB.database(), HOUR));
        assertThat(rows.jobs()).isEmpty();
    }

    @Test
    void images_that_are_older_than_the_age_are_deleted_and_keep_their_row_for_now() throws SQLException {
        rows.image("old.png", OLD);
        rows.image("young.png", YOUNG);
        run(OldRows.images(DB.database(), HOUR));
        assertThat(rows.imagePaths()).containsExactly("old.png", "young.png");
        assertThat(DB.row("select path, deleted_at > now() - interval '1 minute' as now from imagen.images"
                + " where deleted_at is not null")).isEqualTo(Map.of("path", "old.png", "now", true));
    }

    @Test
    void an_image_that_is_deleted_already_is_not_deleted_later_because_it_is_old() throws SQLException {
        rows.deletedImage("memory", "a.png", "now() - interval '4 minutes'");
        DB.execute("update imagen.images set created_at = " + OLD);
        run(OldRows.images(DB.database(), HOUR));
        assertThat(DB.row("select deleted_at < now() - interval '3 minutes' as kept from imagen.images"))
                .containsEntry("kept", true);
    }

    private static void run(OldRows chore) {
        chore.run(() -> true);
    }
}
