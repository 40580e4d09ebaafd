package dev.imagen.upkeep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.SettingsLoader;
import dev.imagen.job.Job;
import dev.imagen.job.NewImage;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.queue.PostgresJobQueue;
import dev.imagen.storage.StorageKey;
import dev.imagen.testing.LogRecords;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** Files of attempts that ended without an image. */
@Tag("postgres")
@Isolated("counts what its package warns of")
class EndedAttemptsTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String LONG_AGO = "now() - interval '61 minutes'";
    private static final String JUST_NOW = "now() - interval '59 minutes'";

    private final UpkeepRows rows = new UpkeepRows(DB);
    private final MemoryStore store = new MemoryStore();
    private final Chore chore = new FileRemoval<>("attempts", new EndedAttempts(DB.database(), List.of(store)));

    @BeforeEach
    void clear() throws SQLException {
        rows.clear();
    }

    private void run() {
        chore.run(() -> true);
    }

    private static String key(UUID job, int attempt) throws SQLException {
        var created = (Timestamp) DB.job(job).get("created_at");
        return StorageKey.prefix(UpkeepRows.OWNER, created.toInstant(), job, attempt) + "png";
    }

    @Test
    void what_a_killed_worker_stored_goes_and_what_the_next_one_stores_and_records_stays() throws SQLException {
        var settings = SettingsLoader.load(Map.of("imagen.home", "target/no-home")).worker();
        var queue = new PostgresJobQueue(DB.database(), settings, false);
        rows.job("pending", "null");
        var killed = claimAndStore(queue);
        DB.execute("delete from imagen.workers");
        assertThat(queue.rescue()).isOne();
        var next = claimAndStore(queue);
        DB.execute("update imagen.job_attempts set ended_at = " + LONG_AGO);

        run();
        assertThat(store.all()).containsExactly(path(next));
        assertThat(path(killed)).isNotEqualTo(path(next));

        queue.settle(next, new Outcome.Done(List.of(image(next)), Optional.empty()));
        DB.execute("update imagen.job_attempts set ended_at = " + LONG_AGO);
        run();
        assertThat(store.all()).containsExactly(path(next));
    }

    private Job claimAndStore(PostgresJobQueue queue) {
        var worker = new WorkerIdentity(UUID.randomUUID(), "a test", List.of("mock"));
        queue.register(worker);
        var job = queue.claim(worker, List.of(new Offer("mock", 1, Optional.empty())), 1).getFirst();
        store.put(path(job));
        return job;
    }

    private static String path(Job job) {
        return StorageKey.of(job, 0, "image/png");
    }

    private static NewImage image(Job job) {
        return new NewImage(UUID.randomUUID(), "memory", path(job), "image/png", 1, 1, 1, new byte[]{1}, "mock", "m",
                "p", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    }

    @Test
    void files_of_an_attempt_that_ended_without_an_image_go_whatever_its_end_but_done() throws SQLException {
        var job = rows.job("done", "now()");
        var outcomes = List.of("failed", "cancelled", "handed_back", "rescued", "done");
        for (int attempt = 1; attempt <= outcomes.size(); attempt++) {
            rows.attempt(job, attempt, outcomes.get(attempt - 1), LONG_AGO);
            store.put(key(job, attempt));
        }
        run();
        assertThat(store.all()).containsExactly(key(job, 5));
    }

    @Test
    void the_file_of_attempt_12_is_not_one_of_attempt_1() throws SQLException {
        var job = rows.job("running", "null");
        rows.attempt(job, 1, "failed", LONG_AGO);
        store.put(key(job, 1), key(job, 12));
        run();
        assertThat(store.all()).containsExactly(key(job, 12));
    }

    @Test
    void an_attempt_that_ended_within_the_hour_is_not_looked_at_yet() throws SQLException {
        var job = rows.job("failed", "now()");
        rows.attempt(job, 1, "failed", JUST_NOW);
        store.put(key(job, 1));
        run();
        assertThat(store.all()).hasSize(1);
        assertThat(store.listings()).isZero();
    }

    @Test
    void files_in_a_store_that_was_used_before_go_too() throws SQLException {
        var former = new MemoryStore("former");
        var both = new FileRemoval<>("attempts", new EndedAttempts(DB.database(), List.of(store, former)));
        var job = rows.job("failed", "now()");
        rows.attempt(job, 1, "failed", LONG_AGO);
        former.put(key(job, 1));
        former.failFor(_ -> true);
        both.run(() -> true);
        former.failFor(_ -> false);
        assertThat(former.all()).hasSize(1);
        both.run(() -> true);
        assertThat(former.all()).isEmpty();
    }

    @Test
    void each_attempt_is_looked_at_once() throws SQLException {
        var job = rows.job("failed", "now()");
        rows.attempt(job, 1, "failed", LONG_AGO);
        rows.attempt(job, 2, "failed", LONG_AGO);
        run();
        run();
        assertThat(store.listings()).isEqualTo(2);
    }

    @Test
    void more_attempts_than_a_batch_are_all_looked_at() throws SQLException {
        var job = rows.job("failed", "now()");
        DB.execute("insert into imagen.job_attempts (job_id, attempt, outcome, ended_at) select '" + job
                + "', i, 'failed', " + LONG_AGO + " from generate_series(1, " + (2 * FileRemoval.BATCH + 1) + ") as i");
        run();
        assertThat(store.listings()).isEqualTo(2 * FileRemoval.BATCH + 1);
        assertThat(DB.rows("select from imagen.job_attempts where files_checked_at is null")).isEmpty();
    }

    @Test
    void a_store_that_does_not_answer_is_asked_again_in_the_next_round() throws SQLException {
        var job = rows.job("failed", "now()");
        rows.attempt(job, 1, "failed", LONG_AGO);
        store.put(key(job, 1));
        store.failFor(_ -> true);
        try (var log = LogRecords.of("dev.imagen.upkeep")) {
            run();
            assertThat(log.warnings()).hasSize(1);
        }
        store.failFor(_ -> false);
        run();
        assertThat(store.all()).isEmpty();
    }

    @Test
    void a_batch_that_fails_as_a_whole_does_not_keep_the_attempts_behind_it_waiting() throws SQLException {
        var broken = rows.job("failed", "now()");
        DB.execute("insert into imagen.job_attempts (job_id, attempt, outcome, ended_at) select '" + broken
                + "', i, 'failed', now() - interval '1 day' from generate_series(1, " + FileRemoval.BATCH + ") as i");
        var job = rows.job("failed", "now()");
        rows.attempt(job, 1, "failed", LONG_AGO);
        store.put(key(job, 1));
        store.failFor(prefix -> prefix.contains(broken.toString()));
        run();
        run();
        assertThat(store.all()).isEmpty();
    }

    @Test
    void a_file_that_an_image_names_stays_whatever_the_attempt_says() throws SQLException {
        var job = rows.job("done", "now()");
        rows.attempt(job, 1, "failed", LONG_AGO);
        rows.imageOf(job, key(job, 1));
        store.put(key(job, 1));
        run();
        assertThat(store.all()).containsExactly(key(job, 1));
    }

    @Test
    void files_of_jobs_that_are_not_in_this_database_stay() throws SQLException {
        var job = rows.job("failed", "now()");
        rows.attempt(job, 1, "failed", LONG_AGO);
        var foreign = StorageKey.prefix(UpkeepRows.OWNER, Instant.now(), UUID.randomUUID(), 1) + "png";
        store.put(key(job, 1), foreign);
        run();
        assertThat(store.all()).containsExactly(foreign);
    }
}
