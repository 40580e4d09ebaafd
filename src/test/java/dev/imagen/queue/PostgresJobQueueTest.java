package dev.imagen.queue;

import static dev.imagen.queue.QueueFixtures.BACKOFF;
import static dev.imagen.queue.QueueFixtures.done;
import static dev.imagen.queue.QueueFixtures.failed;
import static dev.imagen.queue.QueueFixtures.offers;
import static dev.imagen.queue.QueueFixtures.settings;
import static dev.imagen.queue.QueueFixtures.tick;
import static dev.imagen.queue.QueueFixtures.usage;
import static dev.imagen.queue.QueueFixtures.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.imagen.database.Database;
import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewImage;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.ProgressTick;
import dev.imagen.queue.JobQueue.Settled;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.TestDatabase;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The statements that move a job from one state to another, on a real server. */
@Tag("postgres")
class PostgresJobQueueTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final UUID owner = UUID.randomUUID();
    private final WorkerIdentity worker = worker("mock", "flux");
    private PostgresJobQueue queue;

    @BeforeEach
    void register() throws SQLException {
        DB.clear();
        queue = new PostgresJobQueue(DB.database(), settings(Duration.ZERO));
        queue.register(worker);
    }

    // What the tests say about rows

    private UUID job() throws SQLException {
        return DB.insertJob(owner);
    }

    /** @param assignments what differs from a plain pending job */
    private UUID job(String assignments) throws SQLException {
        var id = UUID.randomUUID();
        DB.execute("begin",
                "insert into imagen.jobs (id, owner_user_id, prompt) values ('" + id + "', '" + owner + "', 'a test')",
                "update imagen.jobs set " + assignments + " where id = '" + id + "'", "commit");
        return id;
    }

    private Job claim() {
        var jobs = queue.claim(worker, offers(worker), 1);
        assertThat(jobs).hasSize(1);
        return jobs.getFirst();
    }

    private List<UUID> claim(int limit) {
        return claim(offers(worker), limit);
    }

    private List<UUID> claim(List<Offer> offers, int limit) {
        return queue.claim(worker, offers, limit).stream().map(Job::id).toList();
    }

    private void set(UUID job, String assignments) throws SQLException {
        DB.execute("update imagen.jobs set " + assignments + " where id = '" + job + "'");
    }

    private static void die(WorkerIdentity worker) throws SQLException {
        DB.execute("update imagen.workers set heartbeat_at = now() - interval '1 minute' where id = '" + worker.id()
                + "'");
    }

    private static List<Map<String, Object>> images(UUID job) throws SQLException {
        return DB.rows("select * from imagen.images where job_id = ? order by position", job);
    }

    private static List<Map<String, Object>> usages(UUID job) throws SQLException {
        return DB.rows("select * from imagen.usage where job_id = ? order by attempt", job);
    }

    private static boolean holds(UUID job, String condition) throws SQLException {
        return (Boolean) DB.row("select " + condition + " as holds from imagen.jobs where id = ?", job).get("holds");
    }

    // Claim

    /** Counted: a claim that has to count what runs of each backend is another statement than one that has not. */
    @ParameterizedTest
    @CsvSource({"1, false", "2, false", "10, false", "1, true", "2, true", "10, true"})
    void claims_take_the_highest_priority_first_then_the_earliest_then_the_lowest_id(int limit, boolean counted)
            throws SQLException {
        var last = job("priority = -1, run_at = '2020-01-01'");
        var late = job("run_at = '2020-01-02'");
        var first = UUID.fromString("00000000-0000-4000-8000-000000000001");
        var second = UUID.fromString("00000000-0000-4000-8000-000000000002");
        job("id = '" + second + "', run_at = '2020-01-01'");
        job("id = '" + first + "', run_at = '2020-01-01', backend = 'flux'");
        var urgent = job("priority = 5, backend = 'flux'");
        var offers = counted ? counted() : offers(worker);
        var claimed = Stream.generate(() -> claim(offers, limit)).takeWhile(some -> !some.isEmpty())
                .flatMap(List::stream);
        assertThat(claimed).containsExactly(urgent, first, second, late, last);
    }

    @Test
    void a_claimed_job_has_the_parameters_that_it_was_given() throws SQLException {
        job("params = '{\"cfg\": 7.5, \"steps\": 3, \"fast\": true, \"sampler\": \"Euler a\"}'");
        assertThat(claim().request().params()).hasToString("{cfg=7.5, fast=true, sampler=Euler a, steps=3}");
    }

    private List<Offer> counted() {
        return worker.backends().stream().map(name -> new Offer(name, 10_000, Optional.of(1000))).toList();
    }

    @Test
    void a_claim_takes_no_more_than_its_limit_over_all_backends() throws SQLException {
        for (int i = 0; i < 4; i++) {
            job();
            job("backend = 'mock'");
            job("backend = 'flux'");
        }
        assertThat(claim(5)).hasSize(5);
        assertThat(DB.row("select count(*) as running from imagen.jobs where status = 'running'"))
                .containsEntry("running", 5L);
        assertThat(claim(counted(), 6)).hasSize(6);
        assertThat(claim(100)).hasSize(1);
        assertThat(claim(100)).isEmpty();
    }

    @Test
    void a_claimed_job_is_the_row_that_the_worker_now_holds() throws SQLException {
        var id = job("failures = 1, attempt = 4, error = 'earlier'");
        var job = claim();
        assertThat(job.id()).isEqualTo(id);
        assertThat(job.ownerUserId()).isEqualTo(owner);
        assertThat(job.status()).isEqualTo(JobStatus.RUNNING);
        assertThat(job.attempt()).isEqualTo(5);
        assertThat(job.failures()).isEqualTo(1);
        assertThat(job.workerId()).contains(worker.id());
        assertThat(job.startedAt()).isPresent();
        assertThat(DB.job(id)).containsEntry("status", "running").containsEntry("attempt", 5)
                .containsEntry("worker_id", worker.id()).containsEntry("version", job.version());
    }

    @Test
    void a_job_without_a_backend_gets_the_workers_default_and_keeps_it() throws SQLException {
        var id = job();
        assertThat(claim().request().backend()).contains("mock");
        assertThat(DB.job(id)).containsEntry("backend", "mock");
    }

    @Test
    void a_claim_takes_only_backends_that_the_worker_offers() throws SQLException {
        job("backend = 'dalle', priority = 9");
        var offered = job("backend = 'flux'");
        assertThat(claim(10)).containsExactly(offered);
    }

    @Test
    void a_job_of_the_future_is_not_claimed_and_its_time_is_told() throws SQLException {
        job("run_at = now() + interval '2 hours'");
        job("run_at = now() + interval '1 hour', priority = -3, backend = 'flux'");
        var claim = queue.claim(worker, offers(worker), 10);
        assertThat(claim).isEmpty();
        assertThat(queue.untilNextDue(worker, offers(worker)))
                .hasValueSatisfying(due -> assertThat(due).isBetween(Duration.ofMinutes(59), Duration.ofMinutes(60)));
    }

    @Test
    void a_job_of_tomorrow_with_a_higher_priority_holds_up_nobody() throws SQLException {
        job("run_at = now() + interval '1 day', priority = 9");
        var due = job();
        var claim = queue.claim(worker, offers(worker), 1);
        assertThat(claim).extracting(Job::id).containsExactly(due);
        assertThat(queue.untilNextDue(worker, offers(worker)))
                .hasValueSatisfying(wait -> assertThat(wait).isPositive());
    }

    @Test
    void where_nothing_waits_nothing_is_due() throws SQLException {
        job("backend = 'dalle'");
        job("status = 'done'");
        job();
        assertThat(queue.claim(worker, offers(worker), 10)).hasSize(1);
        assertThat(queue.untilNextDue(worker, offers(worker))).isEmpty();
        assertThat(queue.claim(worker, offers(worker), 10)).isEmpty();
    }

    @Test
    void a_due_job_beyond_the_limit_is_due_at_once() throws SQLException {
        job();
        job();
        assertThat(queue.claim(worker, offers(worker), 1)).hasSize(1);
        assertThat(queue.untilNextDue(worker, offers(worker))).contains(Duration.ZERO);
    }

    @Test
    void a_job_that_another_claim_holds_is_passed_over_and_due_at_once() throws SQLException {
        var held = job("priority = 1");
        var free = job();
        try (Connection other = DB.superuser(); var statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("select from imagen.jobs where id = '" + held + "' for update");
            var claim = queue.claim(worker, offers(worker), 2);
            assertThat(claim).extracting(Job::id).containsExactly(free);
            assertThat(queue.untilNextDue(worker, offers(worker))).contains(Duration.ZERO);
        }
    }

    @Test
    void a_worker_that_is_dead_or_unknown_claims_nothing() throws SQLException {
        var id = job();
        assertThat(queue.claim(worker("mock"), offers(worker), 1)).isEmpty();
        die(worker);
        assertThat(queue.claim(worker, offers(worker), 1)).isEmpty();
        assertThat(DB.job(id)).containsEntry("status", "pending").containsEntry("attempt", 0).containsEntry("backend",
                null);
    }

    @ParameterizedTest
    @ValueSource(strings = {"running", "done", "failed", "cancelled"})
    void only_pending_jobs_are_claimed(String status) throws SQLException {
        job("status = '" + status + "'");
        assertThat(claim(1)).isEmpty();
    }

    // Finish

    @Test
    void a_finish_writes_images_usage_and_state_together() throws SQLException {
        var id = job();
        var job = claim();
        var done = done(job, 2);
        assertThat(queue.settle(job, done)).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("status", "done").containsEntry("image_id", done.images().getFirst().id())
                .containsEntry("worker_id", worker.id()).containsEntry("error", null).containsEntry("failures", 0)
                .doesNotContainEntry("completed_at", null);
        assertThat(images(id)).extracting(row -> row.get("id"))
                .containsExactlyElementsOf(done.images().stream().map(NewImage::id).toList());
        assertThat(images(id)).extracting(row -> row.get("position")).containsExactly(0, 1);
        assertThat(usages(id)).singleElement()
                .satisfies(row -> assertThat(row).containsEntry("outcome", "done").containsEntry("attempt", 1)
                        .containsEntry("owner_user_id", owner).containsEntry("images", 2)
                        .containsEntry("megapixels", new BigDecimal("0.262144")).containsEntry("duration_ms", 1500L));
        assertThat(holds(id, "xmin::text = (select max(xmin::text) from imagen.images) "
                + "and xmin::text = (select max(xmin::text) from imagen.usage)")).isTrue();
    }

    @Test
    void an_images_row_has_all_that_the_pipeline_knew() throws SQLException {
        var id = job();
        var job = claim();
        var done = done(job, 1);
        var image = done.images().getFirst();
        queue.settle(job, done);
        assertThat(images(id).getFirst()).containsEntry("owner_user_id", owner).containsEntry("bucket", "file")
                .containsEntry("path", image.path()).containsEntry("mime_type", "image/png").containsEntry("width", 512)
                .containsEntry("height", 256).containsEntry("byte_size", 4L)
                .containsEntry("sha256", new byte[]{1, 2, 3}).containsEntry("backend", "mock")
                .containsEntry("model", "mock-landscape").containsEntry("prompt", "as sent")
                .containsEntry("negative_prompt", "no").containsEntry("style", "noir")
                .containsEntry("seed", 9007199254740991L).containsEntry("steps", 20).containsEntry("deleted_at", null);
    }

    @Test
    void every_image_keeps_what_its_job_asked_for() throws SQLException {
        var id = job();
        var input = UUID.randomUUID();
        set(id, "prompt = 'a fox', negative_prompt = 'no', model = 'm', style = 'ink', width = 64, seed = 7, count = 2,"
                + " params = '{\"hires\": null, \"cfg\": 7.5}', strength = 0.5, input_image_id = '" + input + "'");
        var job = claim();
        queue.settle(job, done(job, 2));
        assertThat(DB.rows("select distinct request = ?::jsonb as same from imagen.images where job_id = ?", """
                {"prompt": "a fox", "negative_prompt": "no", "backend": "mock", "model": "m", "style": "ink",
                 "width": 64, "seed": 7, "count": 2, "params": {"hires": null, "cfg": 7.5}, "strength": 0.5,
                 "input_image_id": "%s"}""".formatted(input), id)).singleElement()
                .satisfies(row -> assertThat(row).containsEntry("same", true));
    }

    @Test
    void an_attempt_that_reached_no_backend_costs_nothing() throws SQLException {
        var id = job();
        var job = claim();
        queue.settle(job, new Outcome.Done(done(job, 1).images(), Optional.empty()));
        assertThat(DB.job(id)).containsEntry("status", "done");
        assertThat(usages(id)).isEmpty();
    }

    @Test
    void a_finish_that_is_repeated_is_written_once() throws SQLException {
        var id = job();
        var job = claim();
        var done = done(job, 1);
        for (int repetition = 0; repetition < 3; repetition++) {
            assertThat(queue.settle(job, done)).isEqualTo(Settled.WRITTEN);
        }
        assertThat(images(id)).hasSize(1);
        assertThat(usages(id)).hasSize(1);
    }

    @Test
    void a_success_wins_over_a_cancel_that_came_too_late() throws SQLException {
        var id = job();
        var job = claim();
        set(id, "cancel_requested_at = now()");
        assertThat(queue.settle(job, done(job, 1))).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("status", "done");
    }

    @Test
    void an_image_that_the_server_refuses_fails_the_job_and_is_not_kept() throws SQLException {
        var id = job();
        var job = claim();
        var image = new NewImage(UUID.randomUUID(), "file", "p", "image/png", 1, 1, 1, new byte[0], "mock", "m",
                "a NUL: \0", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
        assertThat(queue.settle(job, new Outcome.Done(List.of(image), Optional.of(usage(1)))))
                .isEqualTo(Settled.REFUSED);
        assertThat(DB.job(id)).containsEntry("status", "failed").containsEntry("image_id", null);
        assertThat((String) DB.job(id).get("error")).startsWith("the image could not be recorded: ");
        assertThat(images(id)).isEmpty();
    }

    // The fence

    static Stream<Arguments> waysOut() {
        return Stream.of(arguments("done", null), arguments("failed for good", failed("x", false)),
                arguments("failed for now", failed("x", true)),
                arguments("cancelled", new Outcome.Cancelled(Optional.of(usage(0)))),
                arguments("handed back", new Outcome.HandedBack(Optional.of(usage(0)))));
    }

    private static Outcome of(Outcome outcome, Job job) {
        return outcome == null ? done(job, 1) : outcome;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waysOut")
    void no_outcome_of_an_earlier_attempt_is_written(String name, Outcome outcome) throws SQLException {
        var id = job();
        var earlier = claim();
        set(id, "status = 'pending'");
        claim();
        assertRefused(id, earlier, of(outcome, earlier));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waysOut")
    void no_outcome_of_another_worker_is_written(String name, Outcome outcome) throws SQLException {
        var id = job();
        var ours = claim();
        set(id, "worker_id = gen_random_uuid()");
        assertRefused(id, ours, of(outcome, ours));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waysOut")
    void no_outcome_of_a_job_that_was_rescued_is_written(String name, Outcome outcome) throws SQLException {
        var id = job();
        var ours = claim();
        die(worker);
        queue.rescue();
        assertRefused(id, ours, of(outcome, ours));
    }

    private void assertRefused(UUID id, Job job, Outcome outcome) throws SQLException {
        var before = DB.job(id);
        assertThat(queue.settle(job, outcome)).isEqualTo(Settled.REFUSED);
        assertThat(DB.job(id)).isEqualTo(before);
        assertThat(images(id)).isEmpty();
        assertThat(usages(id)).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waysOut")
    void after_a_cancel_request_every_way_out_but_done_is_cancelled(String name, Outcome outcome) throws SQLException {
        var id = job();
        var job = claim();
        set(id, "cancel_requested_at = now()");
        assertThat(queue.settle(job, of(outcome, job))).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("status", outcome == null ? "done" : "cancelled")
                .doesNotContainEntry("completed_at", null).containsEntry("worker_id", worker.id());
        assertThat(usages(id)).hasSize(1);
    }

    // Failures

    @Test
    void a_permanent_failure_is_the_jobs_end() throws SQLException {
        var id = job();
        var job = claim();
        assertThat(queue.settle(job, failed("the prompt was refused", false))).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("status", "failed").containsEntry("error", "the prompt was refused")
                .containsEntry("failures", 1).containsEntry("worker_id", worker.id())
                .doesNotContainEntry("completed_at", null).doesNotContainEntry("started_at", null);
        assertThat(usages(id)).singleElement().satisfies(row -> assertThat(row).containsEntry("outcome", "failed"));
    }

    @Test
    void a_temporary_failure_waits_for_its_next_attempt() throws SQLException {
        var id = job();
        var job = claim();
        assertThat(queue.settle(job, failed("the GPU is busy", true))).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("status", "pending")
                .containsEntry("error", "the GPU is busy (attempt 1 of 3)").containsEntry("failures", 1)
                .containsEntry("attempt", 1).containsEntry("worker_id", null).containsEntry("started_at", null)
                .containsEntry("completed_at", null);
        assertThat(holds(id, "run_at between updated_at and updated_at + interval '" + BACKOFF + "'")).isTrue();
    }

    @Test
    void the_wait_that_a_server_asked_for_is_the_least_wait() throws SQLException {
        var id = job();
        var job = claim();
        queue.settle(job, new Outcome.Failed("slow down", true, Optional.of(Duration.ofHours(3)), Optional.empty()));
        assertThat(holds(id, "run_at >= updated_at + interval '3 hours'")).isTrue();
        assertThat(claim(1)).isEmpty();
    }

    @Test
    void after_its_last_attempt_a_job_has_failed() throws SQLException {
        var id = job("max_attempts = 2");
        queue.settle(claim(), failed("the GPU is busy", true));
        set(id, "run_at = now()");
        queue.settle(claim(), failed("the GPU is busy", true));
        assertThat(DB.job(id)).containsEntry("status", "failed").containsEntry("failures", 2)
                .containsEntry("error", "the GPU is busy (attempt 2 of 2)").doesNotContainEntry("completed_at", null);
        assertThat(usages(id)).extracting(row -> row.get("attempt")).containsExactly(1, 2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_message_with_characters_that_no_text_can_hold_is_written_without_them(boolean retryable)
            throws SQLException {
        var id = job("max_attempts = 1");
        assertThat(queue.settle(claim(), failed("a\0b\uD83Dc", retryable))).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("status", "failed");
        assertThat((String) DB.job(id).get("error")).startsWith("ab");
    }

    @Test
    void a_cancelled_attempt_costs_what_it_cost() throws SQLException {
        var id = job();
        assertThat(queue.settle(claim(), new Outcome.Cancelled(Optional.of(usage(0))))).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("status", "cancelled").containsEntry("failures", 0);
        assertThat(usages(id)).singleElement().satisfies(row -> assertThat(row).containsEntry("outcome", "cancelled"));
    }

    // Handing back

    @Test
    void a_job_that_is_handed_back_has_spent_no_attempt_and_can_be_claimed_at_once() throws SQLException {
        var id = job("failures = 1");
        assertThat(queue.settle(claim(), new Outcome.HandedBack(Optional.of(usage(0))))).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("status", "pending").containsEntry("failures", 1)
                .containsEntry("worker_id", null).containsEntry("started_at", null).containsEntry("completed_at", null);
        assertThat(usages(id)).singleElement()
                .satisfies(row -> assertThat(row).containsEntry("outcome", "handed_back"));
        assertThat(claim().attempt()).isEqualTo(2);
    }

    @Test
    void only_rows_that_the_worker_does_not_know_of_are_handed_back() throws SQLException {
        var unknown = job();
        claim();
        var known = job();
        claim();
        var others = job("status = 'running', worker_id = gen_random_uuid()");
        var finished = job("status = 'done', worker_id = '" + worker.id() + "'");
        var stopping = job();
        claim();
        set(stopping, "cancel_requested_at = now()");
        assertThat(queue.handBackUnknown(worker.id(), Set.of(known))).isEqualTo(2);
        assertThat(DB.job(unknown)).containsEntry("status", "pending").containsEntry("worker_id", null)
                .containsEntry("failures", 0).containsEntry("started_at", null);
        assertThat(DB.job(stopping)).containsEntry("status", "cancelled").doesNotContainEntry("completed_at", null);
        assertThat(DB.job(known)).containsEntry("status", "running");
        assertThat(DB.job(others)).containsEntry("status", "running");
        assertThat(DB.job(finished)).containsEntry("status", "done");
        assertThat(queue.handBackUnknown(worker.id(), Set.of(known))).isZero();
    }

    /** As where the request arrives after the worker gave it up and claimed again. */
    @Test
    void what_was_claimed_after_the_worker_looked_is_not_handed_back() throws SQLException {
        var early = job();
        claim();
        var looked = (Timestamp) DB.row("select now() as now").get("now");
        var late = job();
        claim();
        var back = DB.database().one(JobSql.HAND_BACK_UNKNOWN, row -> row.integer("handed_back"), worker.id(),
                new String[0], looked.toInstant().atOffset(ZoneOffset.UTC));
        assertThat(back).contains(1);
        assertThat(DB.job(early)).containsEntry("status", "pending");
        assertThat(DB.job(late)).containsEntry("status", "running");
    }

    // Rescue

    /** Two rescues at once: the second has read who is dead, and comes to the row when it is somebody's again. */
    @Test
    void a_rescue_lets_go_of_a_row_that_was_rescued_and_claimed_meanwhile() throws Exception {
        var id = job();
        claim();
        die(worker);
        var gated = JobSql.RESCUE.replaceFirst("from orphan\\s",
                "from (select pg_advisory_xact_lock(4711)) as gate cross join orphan ");
        var alive = worker("mock");
        try (Connection gate = DB.superuser();
                var statement = gate.createStatement();
                var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            statement.execute("select pg_advisory_lock(4711)");
            var second = executor.submit(
                    () -> DB.database().one(gated, row -> row.integer("rescued"), 15_000L, 15_000L).orElseThrow());
            await().until(() -> !DB.rows("select from pg_locks where locktype = 'advisory' and not granted").isEmpty());
            assertThat(queue.rescue()).isEqualTo(1);
            queue.register(alive);
            assertThat(queue.claim(alive, offers(alive), 1)).hasSize(1);
            statement.execute("select pg_advisory_unlock(4711)");
            assertThat(second.get()).isZero();
        }
        assertThat(DB.job(id)).containsEntry("status", "running").containsEntry("worker_id", alive.id())
                .containsEntry("failures", 1).containsEntry("attempt", 2);
    }

    @Test
    void only_jobs_of_dead_workers_are_rescued_and_each_rescue_is_a_failure() throws SQLException {
        var dead = worker("mock");
        queue.register(dead);
        var lost = job();
        queue.claim(dead, offers(dead), 1);
        var ours = job();
        claim();
        var nobodys = job("status = 'running', attempt = 1");
        var strangers = job("status = 'running', attempt = 1, worker_id = gen_random_uuid()");
        die(dead);
        assertThat(queue.rescue()).isEqualTo(3);
        for (UUID id : List.of(lost, nobodys, strangers)) {
            assertThat(DB.job(id)).containsEntry("status", "pending").containsEntry("failures", 1)
                    .containsEntry("worker_id", null).containsEntry("started_at", null).containsEntry("attempt", 1)
                    .containsEntry("error", "the worker stopped during attempt 1 (attempt 1 of 3)");
        }
        assertThat(DB.job(ours)).containsEntry("status", "running").containsEntry("worker_id", worker.id());
        assertThat(queue.rescue()).isZero();
    }

    @Test
    void a_job_that_kills_its_workers_ends_as_failed() throws SQLException {
        var id = job("max_attempts = 2");
        for (int attempt = 1; attempt <= 2; attempt++) {
            var victim = worker("mock");
            queue.register(victim);
            assertThat(queue.claim(victim, offers(victim), 1)).hasSize(1);
            die(victim);
            assertThat(queue.rescue()).isEqualTo(1);
        }
        assertThat(DB.job(id)).containsEntry("status", "failed").containsEntry("failures", 2)
                .containsEntry("error", "the worker stopped during attempt 2 (attempt 2 of 2)")
                .doesNotContainEntry("completed_at", null).doesNotContainEntry("worker_id", null);
    }

    @Test
    void a_job_that_was_to_be_cancelled_is_not_run_again_after_a_rescue() throws SQLException {
        var id = job();
        claim();
        set(id, "cancel_requested_at = now()");
        die(worker);
        assertThat(queue.rescue()).isEqualTo(1);
        assertThat(DB.job(id)).containsEntry("status", "cancelled").doesNotContainEntry("completed_at", null);
    }

    @Test
    void a_dead_workers_many_jobs_come_back_100_at_a_time_and_its_row_goes_last() throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt) select gen_random_uuid(), 'x' "
                + "from generate_series(1, 150)");
        assertThat(claim(150)).hasSize(150);
        die(worker);
        assertThat(queue.rescue()).isEqualTo(100);
        assertThat(DB.rows("select from imagen.workers")).hasSize(1);
        assertThat(queue.rescue()).isEqualTo(50);
        assertThat(queue.rescue()).isZero();
        assertThat(DB.rows("select from imagen.workers")).isEmpty();
        assertThat(DB.row("select count(*) as jobs from imagen.jobs where status = 'pending' and failures = 1"))
                .containsEntry("jobs", 150L);
    }

    @Test
    void a_rescue_passes_over_a_row_that_somebody_holds() throws SQLException {
        var id = job();
        claim();
        die(worker);
        try (Connection other = DB.superuser(); var statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("select from imagen.jobs where id = '" + id + "' for update");
            assertThat(queue.rescue()).isZero();
            // Not by closing: the server would let go only when it notices.
            other.rollback();
        }
        assertThat(queue.rescue()).isEqualTo(1);
    }

    @Test
    void a_rescue_sweeps_up_progress_of_jobs_that_do_not_run() throws SQLException {
        job();
        var running = claim();
        job();
        var ended = claim();
        queue.progress(List.of(tick(running, 1, 9), tick(ended, 1, 9)));
        queue.settle(ended, done(ended, 1));
        queue.rescue();
        assertThat(DB.rows("select job_id from imagen.job_progress")).containsExactly(Map.of("job_id", running.id()));
    }

    @Test
    void on_the_embedded_server_every_running_row_is_stale_at_the_start() throws SQLException {
        var id = job();
        claim();
        queue.expireAll();
        assertThat(queue.rescue()).isEqualTo(1);
        assertThat(DB.job(id)).containsEntry("status", "pending");
    }

    // The lease

    @Test
    void a_renewal_moves_the_heartbeat() throws SQLException {
        DB.execute("update imagen.workers set heartbeat_at = now() - interval '10 seconds'");
        assertThat(queue.renew(worker.id())).isEqualTo(new JobQueue.Renewal(true, Map.of(), Optional.empty()));
        assertThat(DB.row("select heartbeat_at > now() - interval '5 seconds' as fresh from imagen.workers"))
                .containsEntry("fresh", true);
    }

    @Test
    void a_renewal_tells_when_the_next_lease_of_another_worker_ends() throws SQLException {
        var first = worker("mock");
        var second = worker("mock");
        queue.register(first);
        queue.register(second);
        DB.execute("update imagen.workers set heartbeat_at = now() - interval '5 seconds' where id = '" + first.id()
                + "'");
        assertThat(queue.renew(worker.id()).nextExpiry().orElseThrow()).isBetween(Duration.ofSeconds(1),
                Duration.ofSeconds(10));
        die(first);
        assertThat(queue.renew(worker.id()).nextExpiry().orElseThrow()).isNegative();
    }

    @Test
    void a_renewal_does_not_revive_the_dead() throws SQLException {
        die(worker);
        var before = DB.row("select heartbeat_at from imagen.workers");
        assertThat(queue.renew(worker.id()).alive()).isFalse();
        assertThat(DB.row("select heartbeat_at from imagen.workers")).isEqualTo(before);
        assertThat(queue.renew(UUID.randomUUID()).alive()).isFalse();
    }

    @Test
    void a_renewal_tells_which_of_the_workers_jobs_are_to_stop() throws SQLException {
        var stopping = job();
        claim();
        set(stopping, "cancel_requested_at = now()");
        job();
        claim();
        job("status = 'running', worker_id = gen_random_uuid(), cancel_requested_at = now()");
        job("status = 'cancelled', worker_id = '" + worker.id() + "', cancel_requested_at = now()");
        assertThat(queue.renew(worker.id()).cancels()).isEqualTo(Map.of(stopping, 1));
    }

    @Test
    void a_worker_that_leaves_is_gone_and_what_it_ran_can_be_rescued() throws SQLException {
        job();
        claim();
        queue.leave(worker.id());
        assertThat(DB.rows("select from imagen.workers")).isEmpty();
        assertThat(queue.rescue()).isEqualTo(1);
        queue.leave(worker.id());
    }

    // Backends that nobody offers

    @Test
    void backends_of_waiting_jobs_that_no_live_worker_offers_are_found() throws SQLException {
        job();
        job("backend = 'flux'");
        job("backend = 'dalle'");
        job("backend = 'dalle'");
        job("backend = 'sora'");
        job("backend = 'gone', status = 'failed'");
        var dead = worker("sora");
        queue.register(dead);
        die(dead);
        assertThat(queue.unoffered()).containsExactlyInAnyOrder("dalle", "sora");
        die(worker);
        assertThat(queue.unoffered()).containsExactlyInAnyOrder("dalle", "flux", "sora");
    }

    @Test
    void only_due_jobs_of_backends_that_nobody_offers_fail() throws SQLException {
        var due = job("backend = 'dalle', run_at = now() - interval '1 minute'");
        var tomorrow = job("backend = 'dalle', run_at = now() + interval '1 day'");
        var offered = job("backend = 'flux'");
        var any = job();
        assertThat(queue.failUnoffered(Set.of("dalle", "flux"))).isEqualTo(1);
        assertThat(DB.job(due)).containsEntry("status", "failed").doesNotContainEntry("completed_at", null)
                .containsEntry("error", "no live worker offers backend \"dalle\": start one that does, "
                        + "or ask for one of: flux, mock");
        for (UUID id : List.of(tomorrow, offered, any)) {
            assertThat(DB.job(id)).containsEntry("status", "pending");
        }
    }

    @Test
    void a_job_has_time_to_wait_for_a_worker_that_knows_its_backend() throws SQLException {
        var patient = new PostgresJobQueue(DB.database(), settings(Duration.ofSeconds(60)));
        var fresh = job("backend = 'dalle'");
        var old = job("backend = 'dalle', run_at = now() - interval '2 minutes'");
        assertThat(patient.failUnoffered(Set.of("dalle"))).isEqualTo(1);
        assertThat(DB.job(fresh)).containsEntry("status", "pending");
        assertThat(DB.job(old)).containsEntry("status", "failed");
    }

    @Test
    void a_worker_that_came_meanwhile_saves_the_jobs() throws SQLException {
        job("backend = 'dalle'");
        var backends = queue.unoffered();
        queue.register(worker("dalle"));
        assertThat(queue.failUnoffered(backends)).isZero();
        assertThat(queue.failUnoffered(Set.of())).isZero();
    }

    // Progress

    @Test
    void progress_is_written_over_and_over_in_one_row() throws SQLException {
        job();
        var job = claim();
        queue.progress(List.of(tick(job, 1, 20)));
        queue.progress(List.of(tick(job, 7, 20)));
        assertThat(DB.row("select job_id, step, steps from imagen.job_progress"))
                .isEqualTo(Map.of("job_id", job.id(), "step", 7, "steps", 20));
    }

    @Test
    void progress_of_jobs_that_are_no_longer_ours_is_not_written() throws SQLException {
        var ids = List.of(job(), job(), job(), job());
        var jobs = queue.claim(worker, offers(worker), 4);
        set(ids.get(0), "attempt = 2");
        set(ids.get(1), "worker_id = gen_random_uuid()");
        set(ids.get(2), "status = 'done'");
        queue.progress(jobs.stream().map(job -> tick(job, 1, 2)).toList());
        assertThat(DB.rows("select job_id from imagen.job_progress")).containsExactly(Map.of("job_id", ids.get(3)));
    }

    @Test
    void progress_of_a_job_that_was_given_to_another_owner_is_not_written() throws SQLException {
        var id = job();
        var job = claim();
        set(id, "owner_user_id = gen_random_uuid()");
        assertThat(queue.progress(List.of(tick(job, 1, 2)))).isEmpty();
        assertThat(DB.rows("select from imagen.job_progress")).isEmpty();
    }

    @Test
    void a_preview_stays_until_the_next_one_comes() throws SQLException {
        job();
        var job = claim();
        queue.progress(List.of(tick(job, 1, 20, new byte[]{1, 2})));
        queue.progress(List.of(tick(job, 2, 20)));
        assertThat(DB.row("select step, preview from imagen.job_progress")).containsEntry("step", 2)
                .containsEntry("preview", new byte[]{1, 2});
        queue.progress(List.of(tick(job, 2, 20, new byte[]{3})));
        assertThat(DB.row("select preview from imagen.job_progress")).containsEntry("preview", new byte[]{3});
    }

    @Test
    void many_jobs_some_with_a_preview_are_one_statement() throws SQLException {
        job();
        var with = claim();
        job();
        var without = claim();
        var large = new byte[64 * 1024];
        Arrays.fill(large, (byte) 7);
        queue.progress(List.of(tick(without, 1, 2), tick(with, 1, 2, large)));
        assertThat(DB.rows("select job_id from imagen.job_progress where preview is null"))
                .containsExactly(Map.of("job_id", without.id()));
        assertThat(DB.row("select preview from imagen.job_progress where preview is not null")).containsEntry("preview",
                large);
    }

    @Test
    void who_runs_a_job_hears_whether_its_previews_are_wanted_elsewhere() throws SQLException {
        job();
        var job = claim();
        assertThat(queue.progress(List.of(tick(job, 1, 20)))).isEqualTo(Map.of(job.id(), false));
        DB.execute("update imagen.job_progress set previews_until = now() + interval '1 minute'");
        assertThat(queue.progress(List.of(tick(job, 2, 20)))).isEqualTo(Map.of(job.id(), true));
        DB.execute("update imagen.job_progress set previews_until = now() - interval '1 second'");
        assertThat(queue.progress(List.of(tick(job, 3, 20)))).isEqualTo(Map.of(job.id(), false));
    }

    /** Or an estimate of the time left would grow with each preview that comes between two steps. */
    @Test
    void the_time_of_progress_is_that_of_its_step_and_not_before_the_attempt() throws SQLException {
        job();
        var job = claim();
        queue.progress(List.of(new ProgressTick(job, 1, 2, Duration.ZERO, Duration.ofHours(1), Optional.empty())));
        assertThat(DB.row("select p.updated_at = j.started_at as exact from imagen.job_progress p, imagen.jobs j"))
                .containsEntry("exact", true);
        set(job.id(), "started_at = now() - interval '1 hour'");
        queue.progress(List.of(new ProgressTick(job, 1, 2, Duration.ZERO, Duration.ofMinutes(1), Optional.empty())));
        assertThat(DB.row(
                "select now() - updated_at between '1 minute' and '2 minutes' as right" + " from imagen.job_progress"))
                .containsEntry("right", true);
    }

    // All together

    @Test
    void two_workers_with_2000_jobs_do_each_exactly_once() throws Exception {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, backend, priority) "
                + "select gen_random_uuid(), 'x', case i % 3 when 1 then 'mock' when 2 then 'flux' end, -(i % 2) "
                + "from generate_series(1, 2000) as i");
        try (var one = new Database(DB.settings(2));
                var two = new Database(DB.settings(2));
                var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var threads = Stream.of(one, two).map(database -> new PostgresJobQueue(database, settings(Duration.ZERO)))
                    .flatMap(queue -> {
                        var worker = worker("mock", "flux");
                        queue.register(worker);
                        return IntStream.range(0, 2).mapToObj(_ -> executor.submit(() -> drain(queue, worker)));
                    }).toList();
            int done = 0;
            for (Future<Integer> thread : threads) {
                done += thread.get();
            }
            assertThat(done).isEqualTo(2000);
        }
        assertThat(DB.row("""
                select count(*) filter (where status = 'done' and attempt = 1 and failures = 0 and version = 2) as jobs,
                       (select count(distinct job_id) from imagen.images) as with_image,
                       (select count(*) from imagen.images) as images,
                       (select count(*) from imagen.usage) as usage
                  from imagen.jobs"""))
                .isEqualTo(Map.of("jobs", 2000L, "with_image", 2000L, "images", 2000L, "usage", 2000L));
    }

    /** Until nothing waits any more. */
    private static int drain(JobQueue queue, WorkerIdentity worker) {
        int done = 0;
        while (true) {
            var claim = queue.claim(worker, offers(worker), 7);
            for (Job job : claim) {
                assertThat(queue.settle(job, done(job, 1))).isEqualTo(Settled.WRITTEN);
                done++;
            }
            if (claim.isEmpty() && queue.untilNextDue(worker, offers(worker)).isEmpty()) {
                return done;
            }
        }
    }
}
