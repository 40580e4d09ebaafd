package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A worker that runs thousands of jobs ends each of them as fast as one that runs a few. */
@Tag("postgres")
class MovePlansTest {

    /** Planned when nothing ran, as a connection of the pool keeps it for long. */
    @RegisterExtension
    static final TestDatabase IDLE = new TestDatabase();

    @RegisterExtension
    static final TestDatabase BUSY = new TestDatabase();

    @BeforeAll
    static void fill() throws SQLException {
        for (TestDatabase database : List.of(IDLE, BUSY)) {
            database.execute("insert into imagen.jobs (owner_user_id, prompt) select gen_random_uuid(), 'a test'"
                    + " from generate_series(1, 2000)");
        }
        BUSY.execute("update imagen.jobs set status = 'running', attempt = 1, started_at = now(),"
                + " worker_id = '00000000-0000-4000-8000-000000000001'");
        for (TestDatabase database : List.of(IDLE, BUSY)) {
            database.execute("vacuum analyze imagen.jobs");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {JobSql.FINISH, JobSql.FAIL, JobSql.CANCEL, JobSql.HAND_BACK, JobSql.PROGRESS})
    void a_job_is_found_by_its_id(String sql) {
        for (TestDatabase database : List.of(IDLE, BUSY)) {
            var parameters = new Object[(int) sql.chars().filter(each -> each == '?').count()];
            var plan = String.join("\n",
                    database.database().query("explain " + sql, row -> row.text("QUERY PLAN"), parameters));
            assertThat(plan).as(plan).containsPattern("Scan (using|on) jobs_pkey").doesNotContain("jobs_running")
                    .doesNotContain("Seq Scan");
        }
    }
}
