package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An administrator, a pooler or a failover ends single sessions of the service. */
class TerminatedSessionsIT {

    private static final int WORKERS = 2;
    private static final int EVERY_NTH_IS_A_LISTENER = 5;

    /** Of all, or of the listeners only. */
    private static final String SESSIONS = """
            select pid from pg_stat_activity
             where application_name like 'worker-%' and (not ? or query ~ '^listen |pg_listening_channels')
             order by backend_start, pid
            """;

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void sessions_that_are_terminated_are_replaced_and_cost_no_job_a_failure() throws Exception {
        stage.migrate();
        stage.hire(WORKERS, Stage.LONG_LEASE);
        var dice = Form.dice();
        try (var feeder = Feeder.start(stage.jobs(), 0)) {
            for (int i = 1; i <= Form.of(20, 200); i++) {
                stage.awaitClaims(1 + dice.nextInt(5));
                terminate(dice, i % EVERY_NTH_IS_A_LISTENER == 0);
            }
            feeder.enough();
            stage.until("all jobs have ended", stage.jobs()::allEnded);
        }
        assertThat(stage.jobs().count("status <> 'done' or failures > 0")).isZero();
        stage.until("all listen again", () -> stage.sql().rows(SESSIONS, true).size() == WORKERS);
    }

    private void terminate(Random dice, boolean listener) throws SQLException {
        stage.until("a session to terminate", () -> !stage.sql().rows(SESSIONS, listener).isEmpty());
        var sessions = stage.sql().rows(SESSIONS, listener);
        if (!sessions.isEmpty()) {
            stage.sql().execute("select pg_terminate_backend(?)",
                    sessions.get(dice.nextInt(sessions.size())).get("pid"));
        }
    }
}
