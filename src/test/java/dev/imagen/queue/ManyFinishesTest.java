package dev.imagen.queue;

import static dev.imagen.queue.QueueFixtures.done;
import static dev.imagen.queue.QueueFixtures.offers;
import static dev.imagen.queue.QueueFixtures.settings;
import static dev.imagen.queue.QueueFixtures.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.database.DatabaseException;
import dev.imagen.job.Job;
import dev.imagen.job.NewImage;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue.Finish;
import dev.imagen.queue.JobQueue.Settled;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Attempts that are finished together. */
@Tag("postgres")
class ManyFinishesTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String COUNTS = """
            select (select count(*) from imagen.jobs where status = 'done') as done,
                   (select count(*) from imagen.images) as images, (select count(*) from imagen.usage) as usage,
                   (select count(*) from imagen.job_attempts where outcome = 'done') as attempts,
                   (select count(distinct xmin::text) from (select xmin from imagen.jobs where status = 'done'
                       union all select xmin from imagen.images union all select xmin from imagen.usage
                       union all select xmin from imagen.job_attempts) as rows) as transactions
            """;

    private final WorkerIdentity worker = worker("mock");
    private PostgresJobQueue queue;

    @BeforeEach
    void register() throws SQLException {
        DB.clear();
        queue = new PostgresJobQueue(DB.database(), settings(Duration.ZERO));
        queue.register(worker);
    }

    private List<Job> claim(int jobs) throws SQLException {
        for (int i = 0; i < jobs; i++) {
            DB.insertJob(UUID.randomUUID());
        }
        return queue.claim(worker, offers(worker), jobs);
    }

    private static List<Finish> withImages(List<Job> jobs, int images) {
        return jobs.stream().map(job -> new Finish(job, done(job, images))).toList();
    }

    private static UUID[] ids(List<Job> jobs) {
        return jobs.stream().map(Job::id).toArray(UUID[]::new);
    }

    private void assertCounts(long jobs, long images, long transactions) throws SQLException {
        assertThat(DB.row(COUNTS)).containsEntry("done", jobs).containsEntry("attempts", jobs)
                .containsEntry("usage", jobs).containsEntry("images", images)
                .containsEntry("transactions", transactions);
    }

    @Test
    void each_gets_its_own_images_usage_and_attempt_in_one_transaction() throws SQLException {
        var jobs = claim(5);
        var ended = withImages(jobs, 2);
        assertThat(queue.finish(ended)).containsExactlyInAnyOrder(ids(jobs));
        assertCounts(5, 10, 1);
        for (Finish each : ended) {
            var images = each.done().images().stream().map(NewImage::id).toArray(UUID[]::new);
            assertThat(DB.rows(
                    "select id from imagen.images i where job_id = ? and owner_user_id ="
                            + " (select owner_user_id from imagen.jobs where id = i.job_id) order by position",
                    each.job().id())).extracting(row -> row.get("id")).containsExactly((Object[]) images);
            assertThat(DB.job(each.job().id())).containsEntry("image_id", images[0]);
            assertThat(DB.rows("select unnest(images) as id from imagen.jobs where id = ?", each.job().id()))
                    .extracting(row -> row.get("id")).containsExactly((Object[]) images);
        }
    }

    @Test
    void one_that_is_no_longer_ours_keeps_none_of_the_others_back() throws SQLException {
        var jobs = claim(3);
        DB.execute("update imagen.jobs set attempt = attempt + 1 where id = '" + jobs.get(1).id() + "'");
        assertThat(queue.finish(withImages(jobs, 1))).containsExactlyInAnyOrder(jobs.get(0).id(), jobs.get(2).id());
        assertCounts(2, 2, 1);
        assertThat(DB.job(jobs.get(1).id())).containsEntry("status", "running");
    }

    @Test
    void one_whose_row_is_held_keeps_none_of_the_others_waiting() throws SQLException {
        var jobs = claim(3);
        try (var other = DB.superuser(); var statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("select from imagen.jobs where id = '" + jobs.getFirst().id() + "' for update");
            assertThat(queue.finish(withImages(jobs, 1))).containsExactlyInAnyOrder(jobs.get(1).id(), jobs.get(2).id());
            other.rollback();
        }
        assertThat(queue.settle(jobs.getFirst(), done(jobs.getFirst(), 1))).isEqualTo(Settled.WRITTEN);
        assertCounts(3, 3, 2);
    }

    @Test
    void one_that_stands_already_is_written_once() throws SQLException {
        var jobs = claim(2);
        var ended = withImages(jobs, 1);
        queue.finish(ended);
        assertThat(queue.finish(ended)).isEmpty();
        assertThat(queue.settle(jobs.getFirst(), ended.getFirst().done())).isEqualTo(Settled.WRITTEN);
        assertCounts(2, 2, 1);
    }

    @Test
    void where_one_image_is_refused_nothing_is_written() throws SQLException {
        var jobs = claim(2);
        var refused = new NewImage(UUID.randomUUID(), "file", "p", "image/png", 1, 1, 1, new byte[0], "mock", "m",
                "a NUL: \0", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
        var ended = List.of(new Finish(jobs.getFirst(), done(jobs.getFirst(), 1)),
                new Finish(jobs.getLast(), new Outcome.Done(List.of(refused), Optional.empty())));
        assertThatExceptionOfType(DatabaseException.class).isThrownBy(() -> queue.finish(ended));
        assertCounts(0, 0, 0);
        assertThat(queue.finish(ended.subList(0, 1))).isEqualTo(Set.of(jobs.getFirst().id()));
    }

    @Test
    void an_attempt_that_reached_no_backend_costs_nothing() throws SQLException {
        var job = claim(1).getFirst();
        queue.finish(List.of(new Finish(job, new Outcome.Done(done(job, 1).images(), Optional.empty()))));
        assertThat(DB.rows("select from imagen.usage")).isEmpty();
        assertThat(DB.job(job.id())).containsEntry("status", "done");
    }
}
