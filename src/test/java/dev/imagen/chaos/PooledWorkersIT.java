package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Behind PgBouncer in transaction mode, set up as docs/setup.md says. */
class PooledWorkersIT {

    private static final Map<String, String> POLLING = Map.of("DB_LISTENER_MODE", "poll", "WORKER_POLL", "PT0.2S");

    private static final String FIRST_CLAIM = """
            select min(at) as at from ledger.moves where new_status = 'running' and at > ?
            """;

    private final Random dice = Form.dice();

    @RegisterExtension
    final Stage stage = new Stage();

    @BeforeEach
    void migrate() throws SQLException {
        stage.migrate();
    }

    private Map<String, String> listeningPastIt() {
        return Map.of("DB_LISTENER_URL", stage.login().url());
    }

    @Test
    void a_pooler_that_is_restarted_and_killed_costs_workers_that_listen_past_it_nothing() throws Exception {
        workBehindAPooler(listeningPastIt(), Stage.LONG_LEASE, this::restartOften);
        assertThat(stage.jobs().count("failures > 0")).isZero();
    }

    @Test
    void a_pooler_that_is_restarted_and_killed_costs_workers_that_poll_nothing() throws Exception {
        workBehindAPooler(POLLING, Stage.LONG_LEASE, this::restartOften);
        assertThat(stage.jobs().count("failures > 0")).isZero();
    }

    @Test
    void jobs_are_done_after_a_pooler_was_away_for_longer_than_the_lease_and_a_server_crashed_behind_it()
            throws Exception {
        workBehindAPooler(listeningPastIt(), Map.of(), this::stayAwayAndCrash);
    }

    @FunctionalInterface
    private interface Faults {
        void happen(PgBouncer pooler) throws Exception;
    }

    private void workBehindAPooler(Map<String, String> listening, Map<String, String> lease, Faults faults)
            throws Exception {
        try (var pooler = PgBouncer.before(stage.login(), stage.folder())) {
            hire(pooler, listening, lease);
            try (var poster = Poster.start(stage.crew().working().getFirst().process().client());
                    var feeder = Feeder.start(stage.jobs(), 0)) {
                faults.happen(pooler);
                feeder.enough();
                poster.enough();
                stage.until("all jobs have ended", stage.jobs()::allEnded);
                stage.report(poster.accepted().size() + " posts accepted, refused " + poster.refusals());
                assertThat(poster.accepted()).isNotEmpty().allMatch(this::isDone);
            }
            assertThat(stage.jobs().count("status <> 'done'")).isZero();
            stage.crew().stopAll();
        }
    }

    private void hire(PgBouncer pooler, Map<String, String> listening, Map<String, String> lease) throws Exception {
        var settings = new HashMap<>(Map.of("DB_POOLER", "true", "MOCK_DELAY", "PT0.1S"));
        settings.putAll(listening);
        settings.putAll(lease);
        for (int i = 0; i < Form.of(1, 3); i++) {
            stage.crew().hire(pooler.login(), settings);
        }
        stage.crew().awaitReady();
    }

    private boolean isDone(UUID job) {
        try {
            return stage.jobs().count("id = '" + job + "' and status = 'done'") == 1;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private void restartOften(PgBouncer pooler) throws Exception {
        List<Duration> gaps = new ArrayList<>();
        for (int i = 0; i < Form.of(2, 40); i++) {
            end(pooler);
            pooler.start();
            gaps.add(untilNextClaim(new Sql(pooler.login())));
        }
        stage.report("from its first answer to the first claim " + gaps);
    }

    private void end(PgBouncer pooler) throws Exception {
        stage.awaitClaims(1 + dice.nextInt(20));
        if (dice.nextBoolean()) {
            pooler.kill();
        } else {
            pooler.stop();
        }
    }

    private void stayAwayAndCrash(PgBouncer pooler) throws Exception {
        List<Duration> gaps = new ArrayList<>();
        for (int i = 0; i < Form.of(1, 5); i++) {
            end(pooler);
            Stage.outlastLease();
            pooler.start();
            gaps.add(untilNextClaim(new Sql(pooler.login())));
            stage.awaitClaims(1 + dice.nextInt(20));
            stage.server().crash();
            stage.server().start();
            gaps.add(untilNextClaim(stage.sql()));
        }
        stage.report(
                "to the first claim after the pooler, and after the server behind it answers again, in turn " + gaps);
    }

    private Duration untilNextClaim(Sql way) {
        var back = stage.first("it answers", () -> moment(way));
        var claim = stage.first("the next claim", () -> (Timestamp) stage.sql().row(FIRST_CLAIM, back).get("at"));
        return Duration.between(back.toInstant(), claim.toInstant());
    }

    private static Timestamp moment(Sql way) throws SQLException {
        return (Timestamp) way.row("select clock_timestamp() as now").get("now");
    }
}
