package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The folder of the images takes nothing for a while: its disk is full, or something else is in its place. */
class BrokenStoreIT {

    private static final int JOBS = 12;

    /** So often each job fails before the store is mended. */
    private static final int FAILURES = 2;

    private static final String REFUSED = "the image store did not take the image: ";

    @RegisterExtension
    final Stage stage = new Stage();

    @FunctionalInterface
    private interface Step {
        void run() throws IOException, InterruptedException;
    }

    @BeforeEach
    void migrate() throws SQLException {
        stage.migrate();
    }

    @Test
    void jobs_that_a_full_disk_refuses_wait_and_are_done_when_there_is_room_again() throws Exception {
        var limit = new FileSizeLimit();
        hire();
        breakAndMend(() -> limit.set(stage.crew().working()), () -> limit.lift(stage.crew().working()));
        assertThat(errors()).allMatch(error -> error.startsWith(REFUSED) && error.contains("File too large"));
    }

    @Test
    void jobs_whose_folder_is_not_a_folder_wait_and_are_done_when_it_is_one() throws Exception {
        var owner = stage.files().folder().resolve(Jobs.OWNER);
        var aside = owner.resolveSibling("aside");
        hire();
        breakAndMend(() -> {
            Files.createDirectories(owner);
            Files.move(owner, aside);
            Files.writeString(owner, "not a folder");
        }, () -> {
            Files.delete(owner);
            Files.move(aside, owner);
        });
        assertThat(errors()).allMatch(error -> error.startsWith(REFUSED) && error.contains("Not a directory"));
    }

    private void hire() throws IOException, InterruptedException {
        stage.hire(Form.of(1, 2), Map.of("WORKER_BACKOFF", "PT0.2S", "MOCK_DELAY", "PT0S"));
    }

    private void breakAndMend(Step fault, Step mending) throws Exception {
        for (int spell = 1; spell <= Form.of(2, 15); spell++) {
            long done = stage.jobs().count("status = 'done'");
            fault.run();
            stage.jobs().insert(JOBS);
            stage.until("each job has failed " + FAILURES + " times",
                    () -> stage.jobs().count("failures >= " + FAILURES + " and status <> 'done'") == JOBS);
            assertThat(stage.jobs().count("status = 'done'")).isEqualTo(done);
            mending.run();
            stage.until("all jobs have ended", stage.jobs()::allEnded);
        }
        assertThat(stage.jobs().count("status <> 'done'")).isZero();
        assertThat(stage.sql().number("select count(*) from ledger.story where new_failures > 0 and run_at > at"))
                .as("attempts put off").isPositive();
    }

    /** What failed attempts said, without their numbers. */
    private List<String> errors() throws SQLException {
        return stage.sql().rows("""
                select distinct regexp_replace(error, ' .attempt .*', '') as error from ledger.story
                 where new_failures > old_failures""").stream().map(row -> (String) row.get("error")).toList();
    }
}
