package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Workers whose clocks are an hour off, and leap: only the database's clock counts. */
class SkewedClockIT {

    private static final Duration OFF = Duration.ofHours(1);
    private static final Duration ABOUT = Duration.ofMinutes(5);
    private static final Duration CLOCK_LOOK = Duration.ofMillis(300);

    /** A share of the attempts fails. */
    private static final Map<String, String> SETTINGS = Map.of("MOCK_FAILURES", "0.3", "WORKER_BACKOFF", "PT0.5S");

    /** Due one after the other, by the database's clock. */
    private static final String SCHEDULE = """
            insert into imagen.jobs (owner_user_id, prompt, width, height, steps, max_attempts, run_at)
            select ?::uuid, 'later', 64, 64, 4, ?, now() + i * interval '0.1 seconds' from generate_series(1, 30) as i
            """;

    private static final String ENDED_WRONGLY = """
            select count(*) from ledger.story
             where old_status = 'running' and new_status <> 'done'
               and not coalesce(error like 'mock backend failed on purpose%' and new_failures = old_failures + 1, false)
            """;

    /** Times in rows that were written by another clock than the database's. */
    private static final String WRONG_TIMES = """
            select count(*) from (
                select unnest(array[run_at, created_at, updated_at, started_at, completed_at]) from imagen.jobs
                union all select unnest(array[started_at, ended_at]) from imagen.job_attempts
                union all select unnest(array[started_at, heartbeat_at]) from imagen.workers
                union all select created_at from imagen.images) as times (at)
             where at not between now() - interval '30 minutes' and now() + interval '1 minute'
            """;

    private static final String LATEST_START = """
            select max(at - run_at) as late from ledger.story where kind = 'claim' and new_attempt = 1
            """;

    @RegisterExtension
    final Stage stage = new Stage();

    private record Skewed(Crew.Member worker, SkewedClock clock) {}

    @Test
    void clocks_that_are_an_hour_off_and_leap_start_no_job_too_early_and_rescue_none() throws Exception {
        stage.migrate();
        var one = hire(OFF.negated());
        schedule();
        stage.until("it works", () -> stage.jobs().count("status = 'running'") > 0);
        // It looks at once whether somebody has died.
        var two = hire(OFF);
        stage.until("all jobs have ended", stage.jobs()::allEnded);
        for (int leap = 1; leap <= Form.of(1, 15); leap++) {
            var off = leap % 2 == 1 ? OFF : OFF.negated();
            schedule();
            set(one, off);
            set(two, off.negated());
            stage.until("all jobs have ended", stage.jobs()::allEnded);
        }
        assertAllWasByTheDatabasesClock();
    }

    private Skewed hire(Duration off) throws IOException, InterruptedException {
        var clock = new SkewedClock(stage.folder().resolve("clock-" + off));
        clock.set(off);
        var settings = new HashMap<>(SETTINGS);
        settings.putAll(Stage.LONG_LEASE);
        settings.putAll(clock.environment());
        var skewed = new Skewed(stage.hire(settings), clock);
        skewed.worker().process().awaitReady();
        awaitOff(skewed, off);
        return skewed;
    }

    private void set(Skewed skewed, Duration off) throws IOException {
        skewed.clock().set(off);
        awaitOff(skewed, off);
    }

    /** Without this the test could prove nothing: the library may not be the one for this machine. */
    private void awaitOff(Skewed skewed, Duration off) {
        await("the clock is off by " + off).pollInterval(CLOCK_LOOK)
                .until(() -> Duration.between(LocalDateTime.now(ZoneOffset.UTC), skewed.worker().process().clock())
                        .minus(off).abs().compareTo(ABOUT) < 0);
    }

    private void schedule() throws SQLException {
        stage.sql().execute(SCHEDULE, Jobs.OWNER, Jobs.STUBBORN);
    }

    private void assertAllWasByTheDatabasesClock() throws SQLException {
        stage.report("the latest start after its time " + stage.sql().row(LATEST_START));
        assertThat(stage.jobs().count("status <> 'done'")).isZero();
        assertThat(stage.jobs().count("failures > 0")).isPositive();
        assertThat(stage.sql().number(ENDED_WRONGLY)).as("attempts that were rescued or handed back").isZero();
        assertThat(stage.sql().number(WRONG_TIMES)).as("times in rows that are not the database's").isZero();
        assertThat(stage.sql().number("select count(distinct process) from ledger.story where kind = 'claim'"))
                .isEqualTo(2);
    }
}
