package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.CuttingProxy;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The connection breaks right after the commit: the process cannot know that it has what it asked for. */
class LostAnswersIT {

    private static final int JOBS = 6;
    private static final Predicate<String> CLAIM = sql -> sql.contains("set status = 'running'");
    private static final Predicate<String> FINISH = sql -> sql.contains("insert into imagen.images");

    @RegisterExtension
    final Stage stage = new Stage();

    @BeforeEach
    void migrate() throws Exception {
        stage.migrate();
    }

    @Test
    void jobs_whose_claim_was_not_answered_run_in_a_second_attempt_without_a_failure() throws Exception {
        runWhileLosing(CLAIM);
        stage.report("claimed again after " + stage.sql().row("""
                select max(at - started) from (select at, lag(at) over (partition by job_id order by id) as started
                                                 from ledger.story where kind = 'claim') as claims"""));
        assertThat(stage.jobs().count("attempt > 1")).isPositive();
    }

    @Test
    void a_finish_that_was_not_answered_stands_and_is_not_done_again() throws Exception {
        runWhileLosing(FINISH);
        assertThat(stage.jobs().count("attempt > 1")).isZero();
    }

    private void runWhileLosing(Predicate<String> statement) throws Exception {
        try (var proxy = CuttingProxy.to(stage.login())) {
            stage.crew().hire(proxy.login(), Stage.LONG_LEASE).process().awaitReady();
            for (int round = 1; round <= Form.of(2, 10); round++) {
                var cut = proxy.cutNextAnswer(statement);
                stage.jobs().insert(JOBS);
                cut.await();
                stage.until("all jobs have ended", stage.jobs()::allEnded);
            }
            assertThat(stage.jobs().count("status <> 'done' or failures > 0")).isZero();
            stage.crew().stopAll();
        }
    }
}
