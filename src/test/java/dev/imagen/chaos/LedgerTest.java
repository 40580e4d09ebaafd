package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.Login;
import dev.imagen.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Checks that could not fail would prove nothing: each is shown a story that breaks its rule. */
class LedgerTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Duration LEASE = Duration.ofSeconds(15);
    private static final String CLAIM = """
            update imagen.jobs set status = 'running', attempt = attempt + 1, worker_id = ? where id = ?
            """;
    private static final String BACK = "update imagen.jobs set status = 'pending', worker_id = null where id = ?";
    private static final String RESCUE = """
            update imagen.jobs set status = 'pending', worker_id = null, failures = failures + 1,
                   error = 'the worker stopped during attempt 1 (attempt 1 of 3)' where id = ?
            """;

    @TempDir
    private Path folder;

    private final UUID worker = UUID.randomUUID();
    private Sql test;
    private Sql one;
    private Sql two;
    private Ledger ledger;
    private UUID job;
    private Path file;

    @BeforeEach
    void doOneJobWell() throws SQLException, IOException {
        DB.clear();
        test = new Sql(DB.settings().owner());
        one = as("worker-1");
        two = as("worker-2");
        test.execute("drop schema if exists ledger cascade");
        ledger = Ledger.install(test, new ImageFiles(folder), LEASE);
        one.execute("insert into imagen.workers (id, name, backends) values (?, 'one', '{mock}')", worker);
        job = DB.insertJob(UUID.randomUUID());
        claim(one, worker);
        finish();
    }

    private static Sql as(String process) {
        var owner = DB.settings().owner();
        return new Sql(new Login(owner.url() + "?ApplicationName=" + process, owner.username(), owner.password()));
    }

    private void claim(Sql process, UUID as) throws SQLException {
        process.execute(CLAIM, as, job);
    }

    private void finish() throws SQLException, IOException {
        file = Files.writeString(folder.resolve(job + "-1.png"), "a picture");
        var image = UUID.randomUUID();
        one.execute("""
                insert into imagen.images (id, job_id, owner_user_id, bucket, path, mime_type, width, height, byte_size,
                                           sha256, backend, model, prompt)
                select ?, id, owner_user_id, 'file', ?, 'image/png', 64, 64, 9, sha256('a picture'), 'mock', 'm', prompt
                  from imagen.jobs where id = ?""", image, file.getFileName().toString(), job);
        one.execute("update imagen.jobs set status = 'done', image_id = ? where id = ?", image, job);
        one.execute("""
                insert into imagen.usage (job_id, attempt, owner_user_id, backend, model, outcome, duration_ms)
                select id, attempt, owner_user_id, 'mock', 'm', 'done', 1 from imagen.jobs where id = ?""", job);
        keep(1, worker, "done");
    }

    private void keep(int attempt, UUID as, String outcome) throws SQLException {
        test.execute("insert into imagen.job_attempts (job_id, attempt, worker_id, outcome) values (?, ?, ?, ?)", job,
                attempt, as, outcome);
    }

    private void assertFound(String rule) throws SQLException, IOException {
        assertThat(ledger.violations(false)).as(ledger.summary()).anySatisfy(found -> assertThat(found).contains(rule));
    }

    /** Another job, which the ledger of the first one says nothing about. */
    private void another() throws SQLException {
        job = DB.insertJob(UUID.randomUUID());
    }

    private void cancel() throws SQLException {
        test.execute("select imagen.cancel_job(?)", job);
    }

    @Test
    void a_good_story_has_no_violations() throws Exception {
        another();
        claim(one, worker);
        one.execute(BACK, job);
        keep(1, worker, "handed_back");
        var dead = UUID.randomUUID();
        claim(two, dead);
        one.execute(RESCUE, job);
        keep(2, dead, "rescued");
        cancel();
        test.execute("select imagen.retry_job(?)", job);
        cancel();
        assertThat(ledger.violations(false)).isEmpty();
        assertThat(ledger.summary()).contains("jobs=2, done=1, claims=3, rescues=1, given_back=1")
                .endsWith("files without a row: 0");
    }

    @Test
    void a_job_that_waits_or_runs_is_found() throws Exception {
        another();
        assertFound("every job has come to its end");
    }

    @Test
    void a_second_done_is_found() throws Exception {
        two.execute("update imagen.jobs set status = 'running' where id = ?", job);
        two.execute("update imagen.jobs set status = 'done' where id = ?", job);
        assertFound("a job is done once");
        assertFound("no worker moves a job that has ended");
        assertFound("a job moves as the state machine says");
    }

    @Test
    void a_file_that_is_gone_is_found() throws Exception {
        Files.delete(file);
        assertFound("an image has a file, but there is none");
    }

    @Test
    void a_byte_that_changed_is_found() throws Exception {
        Files.writeString(file, "a pictura");
        assertFound("an image's file is what was recorded");
    }

    @Test
    void a_size_that_is_not_the_files_is_found() throws Exception {
        test.execute("update imagen.images set byte_size = 8");
        assertFound("an image's file is what was recorded");
    }

    @Test
    void a_file_without_a_row_is_found_unless_it_is_allowed() throws Exception {
        Files.writeString(folder.resolve(".half-written"), "a pic");
        assertFound("a file without a row");
        assertThat(ledger.violations(true)).isEmpty();
        assertThat(ledger.summary()).endsWith("files without a row: 1");
    }

    @Test
    void a_second_image_of_a_job_is_found() throws Exception {
        test.execute("""
                insert into imagen.images (job_id, position, owner_user_id, bucket, path, mime_type, width, height,
                                           byte_size, sha256, backend, model, prompt)
                select job_id, 1, owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256, backend,
                       model, prompt from imagen.images""");
        assertFound("a done job has one image");
    }

    @Test
    void a_done_job_without_an_image_is_found() throws Exception {
        test.execute("delete from imagen.images");
        assertFound("a done job has one image");
    }

    @Test
    void an_image_without_a_job_is_found() throws Exception {
        test.execute("update imagen.images set job_id = null");
        assertFound("an image belongs to a done job");
    }

    @Test
    void an_image_of_a_job_that_failed_is_found() throws Exception {
        another();
        cancel();
        test.execute("update imagen.images set job_id = ?", job);
        assertFound("an image belongs to a done job");
    }

    @Test
    void an_image_of_another_attempt_is_found() throws Exception {
        var other = Files.move(file, file.resolveSibling(job + "-2.png"));
        test.execute("update imagen.images set path = ?", other.getFileName().toString());
        assertFound("an image's file is that of the attempt that was done");
    }

    @Test
    void a_done_job_without_its_usage_is_found() throws Exception {
        test.execute("delete from imagen.usage");
        assertFound("what a done job cost is recorded");
    }

    @Test
    void an_attempt_that_is_not_kept_is_found() throws Exception {
        test.execute("delete from imagen.job_attempts");
        assertFound("each attempt that ended is kept");
    }

    @Test
    void an_attempt_that_is_kept_as_something_else_is_found() throws Exception {
        test.execute("update imagen.job_attempts set outcome = 'failed'");
        assertFound("each attempt that ended is kept");
    }

    @Test
    void an_attempt_that_is_kept_of_another_worker_is_found() throws Exception {
        test.execute("update imagen.job_attempts set worker_id = null");
        assertFound("each attempt that ended is kept");
    }

    @Test
    void a_move_past_the_ledger_is_found() throws Exception {
        another();
        test.execute("alter table imagen.jobs disable trigger ledger_update");
        claim(one, worker);
        cancel();
        test.execute("update imagen.jobs set status = 'cancelled' where id = ?", job);
        assertFound("the ledger knows each job as it is");
        test.execute("alter table imagen.jobs enable trigger ledger_update");
        test.execute("select imagen.retry_job(?)", job);
        assertFound("each move where the last one ended");
    }

    @Test
    void a_second_claim_of_a_running_job_is_found() throws Exception {
        another();
        claim(one, worker);
        claim(two, UUID.randomUUID());
        assertFound("a job moves as the state machine says");
    }

    @Test
    void a_claim_that_is_no_new_attempt_is_found() throws Exception {
        another();
        one.execute("update imagen.jobs set status = 'running', worker_id = ? where id = ?", worker, job);
        assertFound("a claim begins the next attempt");
    }

    @Test
    void an_attempt_that_begins_without_a_claim_is_found() throws Exception {
        another();
        claim(one, worker);
        one.execute("update imagen.jobs set status = 'pending', worker_id = null, attempt = 7 where id = ?", job);
        assertFound("a claim begins the next attempt");
    }

    @Test
    void a_claim_without_a_worker_is_found() throws Exception {
        another();
        claim(one, null);
        assertFound("a claim names the worker");
    }

    @Test
    void a_claim_before_its_time_is_found() throws Exception {
        another();
        test.execute("update imagen.jobs set run_at = now() + interval '1 minute' where id = ?", job);
        claim(one, worker);
        assertFound("no job is claimed before it is due");
    }

    @Test
    void an_end_by_another_process_is_found() throws Exception {
        another();
        claim(one, worker);
        two.execute(BACK, job);
        assertFound("the process that claimed a job ends it");
    }

    @Test
    void a_rescue_from_a_worker_that_lives_is_found() throws Exception {
        another();
        claim(one, worker);
        two.execute(RESCUE, job);
        assertFound("a rescue comes after the lease");
    }
}
