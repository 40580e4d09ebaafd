package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.CuttingProxy;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A worker that is given up comes back: another one has done its jobs meanwhile, and what it made counts no more. */
class ZombieIT {

    private static final int JOBS = 4;
    private static final Map<String, String> ALL_AT_ONCE = Map.of("WORKER_CONCURRENCY", String.valueOf(JOBS),
            "MOCK_DELAY", "PT1S");

    private static final Pattern IN_FLIGHT = Pattern.compile("imagen_jobs_in_flight\\{[^}]*\\} " + JOBS + "\\.0");

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void what_a_blackholed_worker_finishes_is_refused_and_its_files_are_removed() throws Exception {
        stage.migrate();
        try (var proxy = CuttingProxy.to(stage.login())) {
            var zombie = stage.crew().hire(proxy.login(), ALL_AT_ONCE);
            for (int round = 1, cut = 0; cut < Form.of(1, 3); round++) {
                runsAll(zombie, round);
                proxy.blackhole();
                if (!allWereCut(round, proxy::heal)) {
                    continue;
                }
                cut++;
                stage.until("a picture is made, and its record is on its way", () -> !firstAttempts().isEmpty());
                isReplaced(zombie, round, proxy::heal);
            }
        }
    }

    @Test
    void what_a_suspended_worker_finishes_is_refused_and_its_files_are_removed() throws Exception {
        stage.migrate();
        var zombie = stage.hire(ALL_AT_ONCE);
        for (int round = 1, cut = 0; cut < Form.of(1, 3); round++) {
            runsAll(zombie, round);
            zombie.process().suspend();
            if (!allWereCut(round, zombie.process()::resume)) {
                continue;
            }
            cut++;
            isReplaced(zombie, round, zombie.process()::resume);
        }
    }

    private void runsAll(Crew.Member zombie, int round) throws Exception {
        zombie.process().awaitReady();
        stage.jobs().insert(JOBS, "round " + round, Jobs.STUBBORN);
        stage.until("the jobs run", () -> count(round, "status = 'running'") == JOBS);
        // The rows say so before the worker has the answer to its claim: without that it would make no picture.
        stage.until("the worker knows",
                () -> IN_FLIGHT.matcher(zombie.process().send("GET", "/observe/metrics", "").body()).find());
    }

    /** On a busy machine some have ended by now: that round shows nothing, and another one is played. */
    private boolean allWereCut(int round, Waking waking) throws Exception {
        if (count(round, "status = 'running' and attempt = 1") == JOBS) {
            return true;
        }
        waking.run();
        stage.until("the jobs of a round that came too late have ended", stage.jobs()::allEnded);
        return false;
    }

    private long count(int round, String condition) throws SQLException {
        return stage.jobs().count("prompt = 'round " + round + "' and " + condition);
    }

    @FunctionalInterface
    private interface Waking {
        void run() throws IOException, InterruptedException;
    }

    private void isReplaced(Crew.Member zombie, int round, Waking waking) throws Exception {
        int refusals = refusals(zombie);
        var heir = stage.hire(ALL_AT_ONCE);
        Stage.outlastLease();
        waking.run();
        stage.until("the jobs have ended", stage.jobs()::allEnded);
        assertThat(count(round, "status = 'done' and attempt > 1 and failures > 0")).isEqualTo(JOBS);
        stage.until("each record is refused", () -> refusals(zombie) - refusals == JOBS);
        stage.until("the files of the first attempts are removed", () -> firstAttempts().isEmpty());
        stage.crew().stop(heir);
    }

    private static int refusals(Crew.Member zombie) {
        return (int) zombie.process().output().lines().filter(line -> line.contains("is no longer ours")).count();
    }

    /** Those that no image names: what was recorded in time stays. */
    private List<Path> firstAttempts() throws SQLException, IOException {
        return stage.files().orphans(stage.sql()).stream().filter(file -> file.toString().endsWith("-1.png")).toList();
    }
}
