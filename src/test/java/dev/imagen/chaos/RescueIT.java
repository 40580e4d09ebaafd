package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a dead worker leaves behind, and how soon somebody takes it up. */
class RescueIT {

    private static final Duration PROMISED = Stage.LEASE.plusSeconds(2);

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void jobs_of_a_killed_worker_run_again_two_seconds_after_its_lease() throws Exception {
        stage.migrate();
        int rounds = Form.of(1, 10);
        stage.hire(2, Map.of("MOCK_DELAY", "PT1S"));
        for (int round = 1; round <= rounds; round++) {
            long rescued = rescued();
            stage.jobs().insert(8);
            stage.until("a job runs", () -> stage.jobs().count("status = 'running'") > 0);
            stage.crew().kill(withJobs());
            stage.until("its jobs are rescued", () -> rescued() > rescued);
            stage.until("all jobs have ended", stage.jobs()::allEnded);
            stage.hire(1, Map.of("MOCK_DELAY", "PT1S"));
        }
        var slowest = slowest();
        stage.report("run again at most " + slowest + " after the last heartbeat");
        assertThat(slowest).isLessThanOrEqualTo(PROMISED);
    }

    private Crew.Member withJobs() throws SQLException {
        var name = stage.sql().rows("select name from imagen.workers w join imagen.jobs j on j.worker_id = w.id"
                + " where j.status = 'running' limit 1").getFirst().get("name");
        return stage.crew().named((String) name);
    }

    private long rescued() throws SQLException {
        return stage.sql().number("select count(*) from ledger.story where kind = 'rescue'");
    }

    /** The longest way from a worker's last heartbeat to the next claim of a job of its, by the database's clock. */
    private Duration slowest() throws SQLException {
        return Duration.ofMillis(stage.sql().number("""
                select max(extract(epoch from next.at - rescue.heartbeat_at) * 1000)::bigint
                  from ledger.story rescue
                  join ledger.story next on next.job_id = rescue.job_id and next.kind = 'claim'
                                        and next.new_attempt = rescue.new_attempt + 1
                 where rescue.kind = 'rescue'"""));
    }
}
