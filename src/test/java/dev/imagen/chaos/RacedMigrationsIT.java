package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A first deploy with two replicas: each finds an empty database. */
class RacedMigrationsIT {

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void replicas_that_start_at_once_on_an_empty_database_migrate_it_once_and_share_the_work() throws Exception {
        int replicas = Form.of(2, 5);
        stage.hire(replicas, stage.migrating());
        assertThat(stage.sql().number("select count(*) - count(distinct version) from imagen.flyway_schema_history"
                + " where version is not null")).isZero();
        stage.keepLedger();
        stage.jobs().insert(Form.of(100, 500));
        stage.until("all jobs have ended", stage.jobs()::allEnded);
        assertThat(stage.jobs().count("status <> 'done' or attempt > 1")).isZero();
        assertThat(stage.sql().number("select count(distinct process) from ledger.story where kind = 'claim'"))
                .isEqualTo(replicas);
    }
}
