package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** SIGKILL: a process is gone between two instructions. */
class KilledWorkersIT {

    private static final int WORKERS = 3;

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void workers_that_are_killed_at_random_lose_no_job_and_do_none_twice() throws Exception {
        stage.migrate();
        var dice = Form.dice();
        int kills = Form.of(3, 100);
        stage.hire(WORKERS, Map.of());
        try (var feeder = Feeder.start(stage.jobs(), Form.of(300, 10_000))) {
            for (int i = 0; i < kills; i++) {
                stage.awaitClaims(1 + dice.nextInt(30));
                stage.crew().kill(stage.crew().any(dice));
                var next = stage.hire(Map.of());
                stage.until(next.name() + " claims", () -> claimedBy(next) > 0);
            }
            feeder.enough();
            stage.until("all jobs have ended", stage.jobs()::allEnded);
        }
        assertThat(stage.jobs().count("status <> 'done'")).isZero();
    }

    private long claimedBy(Crew.Member member) throws Exception {
        return stage.sql().number("select count(*) from ledger.story where kind = 'claim' and process = ?",
                member.name());
    }
}
