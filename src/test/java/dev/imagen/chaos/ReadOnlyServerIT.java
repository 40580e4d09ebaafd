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
    void a_read_only_spell_within_the_lease_costs_nothing() throws Exception {
        runThroughSpells(Stage.LONG_LEASE, Stage.LEASE.dividedBy(2));
        assertThat(stage.jobs().count("failures > 0")).isZero();
    }

    @Test
    void what_runs_into_a_read_only_spell_longer_than_the_lease_is_done_when_it_is_over() throws Exception {
        runThroughSpells(Map.of(), Stage.LEASE.multipliedBy(2));
    }

    private void runThroughSpells(Map<String, String> settings, Duration length) throws Exception {
        stage.migrate();
        stage.hire(2, settings);
        try (var feeder = Feeder.start(stage.jobs(), 0)) {
            for (int spell = 1; spell <= Form.of(1, 3); spell++) {
                spell(length);
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
