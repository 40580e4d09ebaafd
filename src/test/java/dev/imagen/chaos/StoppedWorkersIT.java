package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** SIGTERM while every slot is busy, with less grace than the jobs need: a deploy. */
class StoppedWorkersIT {

    private static final int SLOTS = 4;
    private static final Map<String, String> SLOW = Map.of("WORKER_CONCURRENCY", String.valueOf(SLOTS), "WORKER_GRACE",
            "PT1S", "MOCK_DELAY", "PT1M", "WORKER_LEASE", "PT15S");

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void jobs_of_a_worker_that_is_stopped_are_handed_back_and_run_by_the_next_at_no_cost() throws Exception {
        stage.migrate();
        int deploys = Form.of(1, 5);
        stage.jobs().insert(2 * SLOTS);
        for (int deploy = 1; deploy <= deploys; deploy++) {
            var worker = stage.hire(SLOW);
            stage.until("every slot is busy", () -> stage.jobs().count("status = 'running'") == SLOTS);
            stage.crew().stop(worker);
            assertThat(worker.process().output()).contains("handing back " + SLOTS + " jobs");
            assertThat(stage.jobs().count("status = 'pending' and failures = 0 and worker_id is null"))
                    .isEqualTo(2 * SLOTS);
        }
        stage.hire(Stage.LONG_LEASE);
        stage.until("all jobs have ended", stage.jobs()::allEnded);
        assertThat(stage.jobs().count("status <> 'done' or failures > 0")).isZero();
        assertThat(stage.jobs().count("attempt = " + (deploys + 1))).isEqualTo(SLOTS);
    }
}
