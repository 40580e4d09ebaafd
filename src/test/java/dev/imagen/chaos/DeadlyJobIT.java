package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A picture that no machine survives. */
class DeadlyJobIT {

    private static final String DEADLY = "a picture that kills";
    private static final String ITS_WORKER = """
            select w.name, j.attempt from imagen.workers w join imagen.jobs j on j.worker_id = w.id
             where j.prompt = ? and j.status = 'running' and j.attempt > ?
            """;

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void a_job_that_kills_each_worker_that_runs_it_fails_in_the_end_and_the_others_are_done() throws Exception {
        stage.migrate();
        int attempts = Form.of(2, 5);
        stage.hire(2, Map.of("MOCK_DELAY", "PT1S"));
        stage.jobs().insert(1, DEADLY, attempts);
        stage.jobs().insert(20);
        int attempt = 0;
        for (int kill = 1; kill <= attempts; kill++) {
            var its = awaitWorker(attempt);
            attempt = (int) its.get("attempt");
            stage.crew().kill(stage.crew().named((String) its.get("name")));
            stage.hire(Map.of("MOCK_DELAY", "PT1S"));
        }
        stage.until("all jobs have ended", stage.jobs()::allEnded);
        assertThat(stage.sql().row("select status, failures, error from imagen.jobs where prompt = ?", DEADLY))
                .containsEntry("status", "failed").containsEntry("failures", attempts)
                .containsEntry("error", "the worker stopped during attempt %d (attempt %d of %d)".formatted(attempt,
                        attempts, attempts));
        assertThat(stage.jobs().count("status <> 'done'")).as("the others").isEqualTo(1);
    }

    private Map<String, Object> awaitWorker(int lastAttempt) {
        return stage.first("somebody runs it",
                () -> stage.sql().rows(ITS_WORKER, DEADLY, lastAttempt).stream().findFirst().orElse(null));
    }
}
