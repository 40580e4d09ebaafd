package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** PostgreSQL crashes under load and comes back: at once, or after every lease has run out. */
class CrashedServerIT {

    private static final Duration PROMISED = Duration.ofSeconds(2);
    private static final int EVERY_NTH_IS_LONG = Form.of(2, 4);

    private static final String FIRST_CLAIM = """
            select min(at) from ledger.moves where new_status = 'running' and at > pg_postmaster_start_time()
            """;

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void a_server_that_crashes_and_comes_back_is_soon_worked_for_again() throws Exception {
        stage.migrate();
        stage.hire(2, Map.of());
        var dice = Form.dice();
        var atOnce = new ArrayList<Duration>();
        var late = new ArrayList<Duration>();
        try (var feeder = Feeder.start(stage.jobs(), 0)) {
            for (int crash = 1; crash <= Form.of(2, 20); crash++) {
                stage.awaitClaims(1 + dice.nextInt(30));
                stage.server().crash();
                if (crash % EVERY_NTH_IS_LONG == 0) {
                    Stage.outlastLease();
                    late.add(startAndAwaitClaim());
                } else {
                    atOnce.add(startAndAwaitClaim());
                }
            }
            feeder.enough();
            stage.until("all jobs have ended", stage.jobs()::allEnded);
        }
        stage.report("first claim after the server accepts connections: started at once " + atOnce
                + ", after twice the lease " + late);
        assertThat(stage.jobs().count("status <> 'done'")).isZero();
        assertThat(Collections.max(atOnce)).isLessThanOrEqualTo(PROMISED);
        assertThat(Collections.max(late)).isLessThanOrEqualTo(PROMISED);
    }

    /** @return from the first accepted connection to the first claim, by the database's clock */
    private Duration startAndAwaitClaim() {
        var start = CompletableFuture.runAsync(this::start);
        var accepted = stage.first("the server accepts connections", () -> moment("select clock_timestamp()"));
        start.join();
        var claim = stage.first("the first claim", () -> moment(FIRST_CLAIM));
        return Duration.between(accepted.toInstant(), claim.toInstant());
    }

    private void start() {
        try {
            stage.server().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Timestamp moment(String sql) throws SQLException {
        return (Timestamp) stage.sql().row(sql).values().iterator().next();
    }
}
