package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.job.NewJob;
import dev.imagen.queue.OwnedJobs.Submission;
import dev.imagen.queue.OwnedJobs.Submitted;
import dev.imagen.testing.CuttingProxy;
import dev.imagen.testing.TestDatabase;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The connection breaks right after the server has committed a new job: it is one job, whatever the client does. */
@Tag("postgres")
class LostSubmissionTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final UUID owner = UUID.randomUUID();
    private final Caller caller = Caller.owner(owner);
    private CuttingProxy proxy;
    private Database database;
    private OwnedJobs jobs;

    @BeforeEach
    void connect() throws SQLException, IOException {
        DB.clear();
        proxy = CuttingProxy.to(DB.settings().service());
        database = new Database(DB.settings(proxy.login(), 2));
        jobs = new OwnedJobs(database);
        // Both connections are there: the next answer is the one that is meant.
        database.as(caller, _ -> database.query("select 1", _ -> true));
    }

    @AfterEach
    void close() {
        database.close();
        proxy.close();
    }

    private Submission submission(Optional<UUID> id, Optional<String> key) {
        return new Submission(id, owner, NewJob.of("a bay"), key, Optional.empty(), new byte[]{1});
    }

    @Test
    void a_job_is_there_once_and_the_client_is_told_so() throws Exception {
        var cut = proxy.cutNextAnswer();
        var submitted = jobs.submit(caller, submission(Optional.empty(), Optional.empty()));
        cut.await();
        assertThat(submitted).isInstanceOfSatisfying(Submitted.Created.class,
                created -> assertThat(created.job().id()).isEqualTo(onlyJob()));
    }

    @Test
    void with_an_idempotency_key_it_is_the_same_request_again() throws Exception {
        var cut = proxy.cutNextAnswer();
        var submitted = jobs.submit(caller, submission(Optional.empty(), Optional.of("k")));
        cut.await();
        assertThat(submitted).isInstanceOfSatisfying(Submitted.Repeated.class,
                repeated -> assertThat(repeated.job().id()).isEqualTo(onlyJob()));
    }

    @Test
    void with_an_id_of_the_clients_nobody_is_told_that_it_is_taken() throws Exception {
        var id = UUID.randomUUID();
        // The first answer is that of the statement which sets the role.
        var cut = proxy.cutNextAnswer();
        assertThat(jobs.submit(caller, submission(Optional.of(id), Optional.empty())))
                .isInstanceOf(Submitted.Created.class);
        cut.await();
        assertThat(onlyJob()).isEqualTo(id);
    }

    private UUID onlyJob() {
        try {
            var rows = DB.rows("select id from imagen.jobs");
            assertThat(rows).hasSize(1);
            return (UUID) rows.getFirst().get("id");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
