package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.storage.FileImageStore;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A store that is slow, fails and answers half, as one behind a network does. */
class FaultyStoreIT {

    private static final Pattern KEY = Pattern.compile(".*/(.{36})-(\\d+)\\.png");

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void whatever_a_store_answers_each_job_is_done_with_one_image_and_its_bytes() throws Exception {
        stage.migrate().allowStrayFiles();
        var store = new FaultyImageStore(new FileImageStore(stage.files().folder()),
                InProcessWorker.TIMEOUT.multipliedBy(2), Form.dice());
        try (var _ = InProcessWorker.start(stage.settings(), store)) {
            stage.jobs().insert(Form.of(80, 1500));
            stage.until("all jobs have ended", stage.jobs()::allEnded);
            stage.until("what came too late is removed", () -> store.failed().containsAll(strays()));
        }
        stage.report("answers " + store.happened());
        assertThat(store.happened()).containsOnlyKeys(FaultyImageStore.Fault.values());
        assertThat(stage.jobs().count("status <> 'done'")).isZero();
        for (var stray : strays()) {
            assertThat(outcome(stray)).as(stray).isEqualTo("failed");
        }
    }

    /** The keys of files that no row tells of. */
    private List<String> strays() throws SQLException, IOException {
        return stage.files().orphans(stage.sql()).stream()
                .map(file -> stage.files().folder().relativize(file).toString()).toList();
    }

    private Object outcome(String key) throws SQLException {
        MatchResult attempt = KEY.matcher(key).results().findFirst().orElseThrow();
        return stage.sql().row("select outcome from imagen.job_attempts where job_id = ? and attempt = ?",
                UUID.fromString(attempt.group(1)), Integer.valueOf(attempt.group(2))).get("outcome");
    }
}
