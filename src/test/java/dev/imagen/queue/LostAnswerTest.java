package dev.imagen.queue;

import static dev.imagen.queue.QueueFixtures.done;
import static dev.imagen.queue.QueueFixtures.offers;
import static dev.imagen.queue.QueueFixtures.settings;
import static dev.imagen.queue.QueueFixtures.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue.Settled;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.CuttingProxy;
import dev.imagen.testing.TestDatabase;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The connection breaks right after the server has committed: the worker cannot know what became of its write. */
@Tag("postgres")
class LostAnswerTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final WorkerIdentity worker = worker("mock");
    private CuttingProxy proxy;
    private Database database;
    private JobQueue queue;
    private UUID id;

    @BeforeEach
    void connect() throws SQLException, IOException {
        DB.clear();
        proxy = CuttingProxy.to(DB.settings().service());
        // One connection: its next answer is the one that is meant.
        database = new Database(DB.settings(proxy.login(), 1));
        queue = new PostgresJobQueue(database, settings(Duration.ZERO));
        queue.register(worker);
        id = DB.insertJob(UUID.randomUUID());
    }

    @AfterEach
    void close() {
        database.close();
        proxy.close();
    }

    private Job claim() {
        return queue.claim(worker, offers(worker), 1).getFirst();
    }

    private void loseTheAnswer(Runnable call) throws InterruptedException {
        var cut = proxy.cutNextAnswer();
        assertThatExceptionOfType(DatabaseException.class).isThrownBy(call::run)
                .satisfies(e -> assertThat(e.refused()).isFalse());
        cut.await();
    }

    @Test
    void a_finish_whose_answer_was_lost_is_written_when_it_is_repeated() throws Exception {
        var job = claim();
        var done = done(job, 1);
        loseTheAnswer(() -> queue.settle(job, done));
        assertThat(DB.job(id)).containsEntry("status", "done");
        assertThat(queue.settle(job, done)).isEqualTo(Settled.WRITTEN);
        assertThat(queue.settle(job, done)).isEqualTo(Settled.WRITTEN);
        assertThat(DB.job(id)).containsEntry("image_id", done.images().getFirst().id()).containsEntry("attempt", 1);
        assertThat(DB.rows("select from imagen.images")).hasSize(1);
        assertThat(DB.rows("select from imagen.usage")).hasSize(1);
    }

    @Test
    void a_finish_of_another_attempt_is_still_refused_after_a_lost_answer() throws Exception {
        var job = claim();
        loseTheAnswer(() -> queue.settle(job, new Outcome.HandedBack(Optional.empty())));
        var next = claim();
        assertThat(queue.settle(next, done(next, 1))).isEqualTo(Settled.WRITTEN);
        assertThat(queue.settle(job, done(job, 1))).isEqualTo(Settled.REFUSED);
        assertThat(DB.rows("select from imagen.images")).hasSize(1);
    }

    @Test
    void a_failure_whose_answer_was_lost_is_counted_once() throws Exception {
        var job = claim();
        var failed = QueueFixtures.failed("the GPU is busy", true);
        loseTheAnswer(() -> queue.settle(job, failed));
        queue.settle(job, failed);
        assertThat(DB.job(id)).containsEntry("status", "pending").containsEntry("failures", 1);
        assertThat(DB.rows("select from imagen.usage")).hasSize(1);
    }

    @Test
    void jobs_of_a_claim_whose_answer_was_lost_are_handed_back_without_a_failure() throws Exception {
        database.query("select 1", _ -> true);
        loseTheAnswer(this::claim);
        assertThat(DB.job(id)).containsEntry("status", "running").containsEntry("worker_id", worker.id())
                .containsEntry("attempt", 1);
        assertThat(queue.handBackUnknown(worker.id(), Set.of())).isEqualTo(1);
        assertThat(DB.job(id)).containsEntry("status", "pending").containsEntry("worker_id", null)
                .containsEntry("failures", 0).containsEntry("started_at", null);
        assertThat(claim().attempt()).isEqualTo(2);
    }

    @Test
    void a_connection_that_breaks_in_use_is_replaced() {
        proxy.cutAll();
        // Whether this one fails depends on whether the pool looks at the connection first.
        catchThrowable(() -> queue.unoffered());
        assertThat(queue.unoffered()).isEmpty();
    }
}
