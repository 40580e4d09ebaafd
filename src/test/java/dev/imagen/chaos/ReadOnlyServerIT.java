package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A server that answers and refuses to write, as a full disk's guard or a failover makes it. */
class ReadOnlyServerIT {

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void what_runs_into_a_read_only_spell_is_done_when_it_is_over() throws Exception {
        stage.migrate();
        stage.hire(2, Map.of());
        int spells = Form.of(1, 3);
        try (var feeder = Feeder.start(stage.jobs(), 0)) {
            for (int spell = 0; spell < spells; spell++) {
                spell(Stage.LEASE.dividedBy(2));
            }
            assertThat(stage.jobs().count("failures > 0")).as("within the lease it costs nothing").isZero();
            for (int spell = 0; spell < spells; spell++) {
                spell(Stage.LEASE.multipliedBy(2));
            }
            feeder.enough();
            stage.until("all jobs have ended", stage.jobs()::allEnded);
        }
        assertThat(stage.jobs().count("status <> 'done'")).isZero();
    }

    private void spell(Duration length) throws SQLException, InterruptedException {
        stage.awaitClaims(20);
        readOnly("on");
        Thread.sleep(length);
        readOnly("off");
        stage.awaitClaims(20);
    }

    private void readOnly(String value) throws SQLException {
        stage.sql().execute("alter system set default_transaction_read_only = " + value);
        stage.sql().execute("select pg_reload_conf()");
    }
}
