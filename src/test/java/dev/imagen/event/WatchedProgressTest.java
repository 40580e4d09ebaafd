package dev.imagen.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.Notifications;
import dev.imagen.job.Job;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is read of the progress of watched jobs. */
@Tag("postgres")
class WatchedProgressTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final UUID owner = UUID.randomUUID();
    private final UUID here = UUID.randomUUID();
    private final UUID elsewhere = UUID.randomUUID();
    private final Database database = new Database(DB.settings());
    private final WatchedJobs rows = new WatchedJobs(database, () -> Optional.of(here));

    @AfterEach
    void close() {
        database.close();
    }

    /** A job that has run for a minute, and finished the fifth of twenty steps now. */
    private UUID running(UUID worker) throws SQLException {
        return (UUID) DB.rows("""
                with job as (
                    insert into imagen.jobs (owner_user_id, prompt, status, attempt, worker_id, started_at)
                    values (?, 'a test', 'running', 1, ?, now() - interval '1 minute') returning id)
                insert into imagen.job_progress (job_id, step, steps, preview, preview_at)
                select id, 5, 20, '\\x0102', now() from job returning job_id
                """, owner, worker).getFirst().get("job_id");
    }

    private List<JobProgress> progress() {
        return rows.progress(List.of(), List.of(owner));
    }

    private static Object asked(UUID job) throws SQLException {
        return DB.row("select coalesce(previews_until > now() + interval '5 seconds', false) as asked"
                + " from imagen.job_progress where job_id = '" + job + "'").get("asked");
    }

    @Test
    void a_preview_of_what_another_process_runs_is_read_and_more_are_asked_for() throws SQLException {
        var job = running(elsewhere);
        assertThat(progress()).singleElement().satisfies(one -> {
            assertThat(one.jobId()).isEqualTo(job);
            assertThat(one.preview()).hasValue(new byte[]{1, 2});
        });
        assertThat(asked(job)).isEqualTo(true);
    }

    @Test
    void a_preview_of_what_this_process_runs_does_not_take_the_way_through_the_table() throws SQLException {
        var job = running(here);
        assertThat(progress()).singleElement().satisfies(one -> assertThat(one.preview()).isEmpty());
        assertThat(asked(job)).isEqualTo(false);
    }

    @Test
    void a_preview_that_was_read_before_is_not_read_again() throws SQLException {
        running(elsewhere);
        DB.execute("update imagen.job_progress set preview_at = now() - interval '4 seconds'");
        assertThat(progress()).singleElement().satisfies(one -> assertThat(one.preview()).isEmpty());
    }

    @Test
    void a_preview_of_an_earlier_attempt_is_not_read() throws SQLException {
        var job = running(elsewhere);
        DB.execute("update imagen.jobs set attempt = 2, started_at = now() where id = '" + job + "'");
        DB.execute("update imagen.job_progress set updated_at = now(), preview_at = now() - interval '1 second'");
        assertThat(progress()).singleElement().satisfies(one -> assertThat(one.preview()).isEmpty());
    }

    @Test
    void asking_again_waits_until_half_of_the_time_is_over() throws SQLException {
        var job = running(elsewhere);
        progress();
        var first = until(job);
        progress();
        assertThat(until(job)).isEqualTo(first);
        DB.execute("update imagen.job_progress set previews_until = now() + interval '4 seconds'");
        progress();
        assertThat(asked(job)).isEqualTo(true);
    }

    private static Map<String, Object> until(UUID job) throws SQLException {
        return DB.row("select previews_until from imagen.job_progress where job_id = '" + job + "'");
    }

    /** Whoever writes the row does not wait for those who read, nor they for it. */
    @Test
    void a_row_that_is_just_written_is_read_and_asked_for_later() throws SQLException {
        var job = running(elsewhere);
        try (var writer = DB.superuser(); var statement = writer.createStatement()) {
            writer.setAutoCommit(false);
            statement.execute("update imagen.job_progress set step = 6");
            assertThat(progress()).hasSize(1);
            writer.rollback();
        }
        assertThat(asked(job)).isEqualTo(false);
        progress();
        assertThat(asked(job)).isEqualTo(true);
    }

    @Test
    void the_estimate_comes_from_the_steps_so_far_and_counts_a_slower_one() throws SQLException {
        running(elsewhere);
        assertThat(progress()).singleElement()
                .satisfies(one -> assertThat(one.eta()).isBetween(Duration.ofSeconds(120), Duration.ofSeconds(180)));
        DB.execute("update imagen.jobs set started_at = started_at - interval '1 hour'");
        DB.execute("update imagen.job_progress set updated_at = updated_at - interval '1 hour'");
        assertThat(progress()).singleElement().satisfies(
                one -> assertThat(one.eta()).isBetween(Duration.ofSeconds(3660 / 6 * 14), Duration.ofHours(3)));
    }

    @Test
    void nothing_is_read_while_nobody_watches_progress() {
        var notifications = new Notifications(DB.settings());
        try (var events = new JobEvents(rows, notifications, true)) {
            database.close();
            assertThatCode(events::tellProgress).doesNotThrowAnyException();
            // As those who wait for a job's end do.
            events.watchJob(UUID.randomUUID(), watcher(false));
            assertThatCode(events::tellProgress).doesNotThrowAnyException();
            var watch = events.watchOwner(owner, watcher(true));
            assertThatExceptionOfType(DatabaseException.class).isThrownBy(events::tellProgress);
            watch.close();
            assertThatCode(events::tellProgress).doesNotThrowAnyException();
        } finally {
            notifications.close();
        }
    }

    private static Watcher watcher(boolean progress) {
        return new Watcher() {
            @Override
            public void changed(Job job) {
                // Not asked for here.
            }

            @Override
            public boolean watchesProgress() {
                return progress;
            }

            @Override
            public void closed() {
                // Not asked for here.
            }
        };
    }
}
