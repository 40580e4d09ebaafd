package dev.imagen.queue;

import static dev.imagen.queue.QueueFixtures.done;
import static dev.imagen.queue.QueueFixtures.offers;
import static dev.imagen.queue.QueueFixtures.settings;
import static dev.imagen.queue.QueueFixtures.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.database.Caller;
import dev.imagen.database.DatabaseException;
import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import dev.imagen.queue.OwnedJobs.Cursor;
import dev.imagen.queue.OwnedJobs.Found;
import dev.imagen.queue.OwnedJobs.Submission;
import dev.imagen.queue.OwnedJobs.Submitted;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the REST API does for a caller, with the caller's rights. */
@Tag("postgres")
class OwnedJobsTest {

    private static final byte[] HASH = {1, 2, 3};
    private static final byte[] OTHER_HASH = {1, 2, 4};

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final Caller alice = Caller.owner(UUID.randomUUID());
    private final Caller bob = Caller.owner(UUID.randomUUID());
    private final UUID aliceId = alice.owner().orElseThrow();
    private final UUID bobId = bob.owner().orElseThrow();
    private OwnedJobs jobs;

    @BeforeEach
    void open() throws SQLException {
        DB.clear();
        jobs = new OwnedJobs(DB.database());
    }

    private Job create(Caller caller, Submission submission) {
        var submitted = jobs.submit(caller, submission);
        assertThat(submitted).isInstanceOf(Submitted.Created.class);
        return ((Submitted.Created) submitted).job();
    }

    private Submission plain() {
        return plain(aliceId);
    }

    private static Submission plain(UUID owner) {
        return new Submission(Optional.empty(), owner, NewJob.of("a cat"), Optional.empty(), Optional.empty(), HASH);
    }

    private Submission withKey(String key, byte[] hash) {
        return withKey(aliceId, key, hash);
    }

    private static Submission withKey(UUID owner, String key, byte[] hash) {
        return new Submission(Optional.empty(), owner, NewJob.of("a cat"), Optional.of(key), Optional.empty(), hash);
    }

    // Submitting

    @Test
    void a_job_with_nothing_but_a_prompt_has_the_tables_defaults() {
        var job = create(alice, plain());
        assertThat(job.ownerUserId()).isEqualTo(aliceId);
        assertThat(job.status()).isEqualTo(JobStatus.PENDING);
        assertThat(job.request()).isEqualTo(new NewJob("a cat", Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 0,
                Optional.of(job.createdAt()), 3));
    }

    @Test
    void a_job_with_everything_is_stored_as_it_was_asked_for() {
        var runAt = Instant.parse("2100-01-01T00:00:00.123456Z");
        var asked = new NewJob("a cat", Optional.of("a dog"), Optional.of("mock"), Optional.of("m"),
                Optional.of("noir"), Optional.of(16), Optional.of(32), Optional.of(5), Optional.of(9007199254740991L),
                -7, Optional.of(runAt), 9, Map.of("cfg", 7), 4, Optional.of(UUID.randomUUID()), Optional.of(0.25));
        var id = UUID.randomUUID();
        var job = create(alice,
                new Submission(Optional.of(id), aliceId, asked, Optional.of("key"), Optional.empty(), HASH));
        assertThat(job.id()).isEqualTo(id);
        assertThat(job.request()).isEqualTo(asked);
        assertThat(job.idempotencyKey()).contains("key");
        assertThat(jobs.find(alice, id).map(Found::job)).contains(job);
    }

    @Test
    void a_request_that_is_repeated_with_its_key_gives_the_first_job() throws SQLException {
        var first = create(alice, withKey("k", HASH));
        assertThat(jobs.submit(alice, withKey("k", HASH))).isEqualTo(new Submitted.Repeated(first));
        assertThat(DB.rows("select from imagen.jobs")).hasSize(1);
        assertThat(DB.job(first.id())).containsEntry("request_hash", HASH);
    }

    @Test
    void another_request_with_the_same_key_is_told_apart() throws SQLException {
        create(alice, withKey("k", HASH));
        assertThat(jobs.submit(alice, withKey("k", OTHER_HASH))).isEqualTo(new Submitted.KeyReused());
        assertThat(DB.rows("select from imagen.jobs")).hasSize(1);
    }

    @Test
    void keys_of_different_owners_do_not_meet() {
        create(alice, withKey("k", HASH));
        create(bob, withKey(bobId, "k", OTHER_HASH));
    }

    @Test
    void a_key_leaves_no_hash_on_the_next_job_of_the_connection() throws SQLException {
        create(alice, withKey("k", HASH));
        for (int i = 0; i < DB.settings().pool(); i++) {
            assertThat(DB.job(create(alice, plain()).id())).containsEntry("request_hash", null);
        }
    }

    @Test
    void a_request_that_comes_many_times_at_once_makes_one_job() throws Exception {
        var start = new CyclicBarrier(6);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var answers = IntStream.range(0, 6).mapToObj(_ -> executor.submit(() -> {
                start.await();
                return jobs.submit(alice, withKey("k", HASH));
            })).toList();
            int created = 0;
            for (var answer : answers) {
                created += answer.get() instanceof Submitted.Created ? 1 : 0;
                assertThat(answer.get()).isInstanceOfAny(Submitted.Created.class, Submitted.Repeated.class);
            }
            assertThat(created).isEqualTo(1);
        }
        assertThat(DB.rows("select from imagen.jobs")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void an_id_that_is_taken_names_nobody(boolean withKey) throws SQLException {
        var own = create(alice, plain()).id();
        var foreign = create(bob, plain(bobId)).id();
        for (UUID id : List.of(own, foreign)) {
            var submission = new Submission(Optional.of(id), aliceId, NewJob.of("a cat"),
                    withKey ? Optional.of("k") : Optional.empty(), Optional.empty(), HASH);
            assertThat(jobs.submit(alice, submission)).isEqualTo(new Submitted.IdTaken());
        }
        assertThat(DB.job(foreign)).containsEntry("owner_user_id", bobId);
    }

    @Test
    void a_bad_value_is_refused_with_the_name_of_its_constraint() {
        assertThatExceptionOfType(DatabaseException.class).isThrownBy(() -> jobs.submit(alice,
                new Submission(Optional.empty(), aliceId, NewJob.of("  "), Optional.empty(), Optional.empty(), HASH)))
                .satisfies(e -> {
                    assertThat(e.refused()).isTrue();
                    assertThat(e.constraint()).contains("jobs_prompt_not_blank");
                });
    }

    @Test
    void a_place_ahead_of_everybody_is_refused() {
        var asked = new NewJob("a cat", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 1, Optional.empty(), 3);
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> jobs.submit(alice,
                        new Submission(Optional.empty(), aliceId, asked, Optional.empty(), Optional.empty(), HASH)))
                .satisfies(e -> assertThat(e.refused()).isTrue());
    }

    // Finding

    @Test
    void a_job_is_found_by_its_owner_only() {
        var job = create(alice, plain());
        assertThat(jobs.find(alice, job.id()).map(Found::job)).contains(job);
        assertThat(jobs.find(bob, job.id())).isEmpty();
        assertThat(jobs.find(alice, UUID.randomUUID())).isEmpty();
    }

    @Test
    void a_place_in_line_counts_everybodys_jobs_of_the_same_backend_that_come_first() throws SQLException {
        var waiting = create(alice, plain()).id();
        var urgent = create(bob, plain(bobId)).id();
        var otherBackend = create(bob, plain(bobId)).id();
        var running = create(bob, plain(bobId)).id();
        var behind = create(bob, plain(bobId)).id();
        DB.execute("update imagen.jobs set priority = 5 where id = '" + urgent + "'",
                "update imagen.jobs set priority = 5, backend = 'flux' where id = '" + otherBackend + "'",
                "update imagen.jobs set priority = 5, status = 'running' where id = '" + running + "'",
                "update imagen.jobs set priority = -5 where id = '" + behind + "'");
        assertThat(place(alice, waiting)).contains(2L);
        assertThat(place(bob, urgent)).contains(1L);
        assertThat(place(bob, behind)).contains(3L);
        assertThat(place(bob, otherBackend)).contains(1L);
        assertThat(place(bob, running)).isEmpty();
    }

    private Optional<Long> place(Caller caller, UUID id) {
        return jobs.find(caller, id).orElseThrow().place();
    }

    // Listing

    /** Equal times, so that only the id orders them: a page that ends in their midst must not lose or repeat any. */
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 40, 120, 200})
    void pages_of_any_size_hold_every_job_once_newest_first(int size) throws SQLException {
        insertThreeTimes40();
        var seen = pages(alice, Optional.empty(), size);
        assertThat(seen).hasSize(120).doesNotHaveDuplicates();
        assertThat(seen)
                .isEqualTo(DB
                        .rows("select id from imagen.jobs where owner_user_id = ? "
                                + "order by created_at desc, id desc", aliceId)
                        .stream().map(row -> row.get("id")).toList());
    }

    @Test
    void a_list_holds_only_the_asked_status() throws SQLException {
        insertThreeTimes40();
        DB.execute("update imagen.jobs set status = 'failed' where created_at = '2026-01-02'");
        assertThat(pages(alice, Optional.of(JobStatus.FAILED), 7)).hasSize(40).doesNotHaveDuplicates();
        assertThat(pages(alice, Optional.of(JobStatus.PENDING), 7)).hasSize(80).doesNotHaveDuplicates();
        assertThat(pages(alice, Optional.of(JobStatus.DONE), 7)).isEmpty();
        assertThat(pages(Caller.owner(UUID.randomUUID()), Optional.empty(), 7)).isEmpty();
    }

    private void insertThreeTimes40() throws SQLException {
        for (var caller : List.of(alice, bob)) {
            DB.execute("insert into imagen.jobs (owner_user_id, prompt, created_at) select '"
                    + caller.owner().orElseThrow()
                    + "', 'x', date '2026-01-01' + i % 3 from generate_series(1, 120) as i");
        }
    }

    private List<UUID> pages(Caller caller, Optional<JobStatus> status, int size) {
        var seen = new ArrayList<UUID>();
        var cursor = Cursor.START;
        while (true) {
            var page = jobs.list(caller, caller.owner().orElseThrow(), status, cursor, size);
            assertThat(page.size()).isLessThanOrEqualTo(size);
            if (page.isEmpty()) {
                return seen;
            }
            page.forEach(job -> seen.add(job.id()));
            cursor = Cursor.of(page.getLast().createdAt(), page.getLast().id());
        }
    }

    @Test
    void what_is_not_finished_and_what_finished_since_comes_in_the_order_of_its_change() throws SQLException {
        var ids = IntStream.range(0, 5).mapToObj(_ -> create(alice, plain()).id()).toList();
        change(ids.get(0), "done", "2026-01-01");
        change(ids.get(1), "failed", "2026-01-03");
        change(ids.get(2), "running", "2026-01-01");
        change(ids.get(3), "cancelled", "2026-01-02");
        change(ids.get(4), "pending", "2026-01-04");
        create(bob, plain(bobId));
        assertThat(unfinished(10)).containsExactlyInAnyOrder(ids.get(2), ids.get(4));
        assertThat(finished("2026-01-01T00:00:00Z", 10)).containsExactly(ids.get(0), ids.get(3), ids.get(1));
        assertThat(finished("2026-01-02T23:59:59.999999Z", 10)).containsExactly(ids.get(1));
    }

    @Test
    void pages_of_unfinished_and_of_finished_jobs_leave_out_and_repeat_nothing() throws SQLException {
        for (int i = 0; i < 23; i++) {
            create(alice, plain());
            change(create(alice, plain()).id(), "done", "2026-01-01");
        }
        assertThat(unfinished(5)).hasSize(23).doesNotHaveDuplicates();
        assertThat(finished("2025-12-31T00:00:00Z", 5)).hasSize(23).doesNotHaveDuplicates();
    }

    private static void change(UUID id, String status, String at) throws SQLException {
        DB.execute("update imagen.jobs set status = '" + status + "' where id = '" + id + "'",
                "update imagen.jobs set updated_at = '" + at + "+00' where id = '" + id + "'");
    }

    private List<UUID> unfinished(int page) {
        var all = new ArrayList<UUID>();
        List<Job> next;
        do {
            next = jobs.unfinished(alice, aliceId, all.isEmpty() ? Optional.empty() : Optional.of(all.getLast()), page);
            next.forEach(job -> all.add(job.id()));
        } while (next.size() == page);
        return all;
    }

    private List<UUID> finished(String since, int page) {
        var all = new ArrayList<UUID>();
        var at = Instant.parse(since);
        List<Job> next;
        do {
            next = jobs.finished(alice, aliceId, at, all.isEmpty() ? Optional.empty() : Optional.of(all.getLast()),
                    page);
            next.forEach(job -> all.add(job.id()));
            at = next.isEmpty() ? at : next.getLast().updatedAt();
        } while (next.size() == page);
        return all;
    }

    // Cancelling and retrying

    @Test
    void a_pending_job_is_cancelled_at_once() {
        var id = create(alice, plain()).id();
        assertThat(jobs.cancel(alice, id)).hasValueSatisfying(job -> {
            assertThat(job.status()).isEqualTo(JobStatus.CANCELLED);
            assertThat(job.completedAt()).isPresent();
            assertThat(job.version()).isEqualTo(1);
        });
    }

    @Test
    void a_running_job_is_asked_to_stop_once() {
        var id = create(alice, plain()).id();
        claim();
        var asked = jobs.cancel(alice, id).orElseThrow();
        assertThat(asked.status()).isEqualTo(JobStatus.RUNNING);
        assertThat(asked.cancelRequestedAt()).isPresent();
        assertThat(asked.completedAt()).isEmpty();
        assertThat(jobs.cancel(alice, id)).contains(asked);
    }

    private Job claim() {
        var queue = new PostgresJobQueue(DB.database(), settings(Duration.ZERO));
        var worker = worker("mock");
        queue.register(worker);
        return queue.claim(worker, offers(worker), 1).getFirst();
    }

    @ParameterizedTest
    @EnumSource(names = {"DONE", "FAILED", "CANCELLED"})
    void a_finished_job_is_left_as_it_is_by_a_cancel(JobStatus status) throws SQLException {
        var id = create(alice, plain()).id();
        DB.execute("update imagen.jobs set status = '" + status.text() + "' where id = '" + id + "'");
        var before = jobs.find(alice, id).map(Found::job);
        assertThat(jobs.cancel(alice, id)).isEqualTo(before);
        assertThat(jobs.find(alice, id).map(Found::job)).isEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource(names = {"FAILED", "CANCELLED"})
    void a_failed_or_cancelled_job_gets_all_its_attempts_again(JobStatus status) throws SQLException {
        var id = create(alice, plain()).id();
        DB.execute("""
                update imagen.jobs
                   set status = '%s', attempt = 3, failures = 3, error = 'x', worker_id = gen_random_uuid(),
                       cancel_requested_at = now(), started_at = now(), completed_at = now(), run_at = '2020-01-01'
                 where id = '%s'""".formatted(status.text(), id));
        var job = jobs.retry(alice, id).orElseThrow();
        assertThat(job.status()).isEqualTo(JobStatus.PENDING);
        assertThat(job.attempt()).isEqualTo(3);
        assertThat(job.failures()).isZero();
        assertThat(job.version()).isEqualTo(2);
        assertThat(List.of(job.error(), job.workerId(), job.cancelRequestedAt(), job.startedAt(), job.completedAt()))
                .containsOnly(Optional.empty());
        assertThat(job.request().runAt()).contains(job.updatedAt());
        assertThat(claim().attempt()).isEqualTo(4);
    }

    @ParameterizedTest
    @EnumSource(names = {"PENDING", "RUNNING", "DONE"})
    void any_other_job_cannot_be_retried(JobStatus status) throws SQLException {
        var id = create(alice, plain()).id();
        DB.execute("update imagen.jobs set status = '" + status.text() + "' where id = '" + id + "'");
        assertThatExceptionOfType(DatabaseException.class).isThrownBy(() -> jobs.retry(alice, id)).satisfies(e -> {
            assertThat(e.state()).isEqualTo("PT409");
            assertThat(e.refused()).isTrue();
            assertThat(e.serverMessage())
                    .isEqualTo("the job is " + status.text() + ": only a failed or cancelled job can be retried");
        });
    }

    @Test
    void an_unknown_and_a_foreign_job_can_be_neither_cancelled_nor_retried() throws SQLException {
        var foreign = create(alice, plain()).id();
        DB.execute("update imagen.jobs set status = 'failed'");
        for (UUID id : List.of(foreign, UUID.randomUUID())) {
            assertThat(jobs.cancel(bob, id)).isEmpty();
            assertThat(jobs.retry(bob, id)).isEmpty();
        }
        assertThat(DB.job(foreign)).containsEntry("status", "failed");
    }

    @Test
    void a_finished_job_shows_its_image() {
        var id = create(alice, plain()).id();
        var job = claim();
        var done = done(job, 1);
        new PostgresJobQueue(DB.database(), settings(Duration.ZERO)).settle(job, done);
        assertThat(jobs.find(alice, id).orElseThrow().job().imageId()).contains(done.images().getFirst().id());
    }
}
