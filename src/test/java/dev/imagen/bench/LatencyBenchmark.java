package dev.imagen.bench;

import dev.imagen.config.Settings;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.EmbeddedPostgres;
import io.helidon.logging.common.LogConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.Map;

/**
 * Latency of an idle system, one job at a time: {@code mvn -q test-compile exec:exec@latency}. Embedded PostgreSQL with
 * fsync on, the mock backend at 512×512 without delay, images on disk.
 *
 * <ul>
 * <li>floor: a bare LISTEN loop that claims, nothing else, on the same table
 * <li>sql: INSERT by a client of its own; pickup is from the INSERT's return (its commit) to the claimed job in the
 * worker, done from there to the {@code done} that a raw LISTEN connection reads
 * <li>post: from before POST /jobs to the {@code done} event of the job's stream
 * <li>get: GET /jobs/{id} as each kind of caller, in turns; row: what changing the role costs a query
 * </ul>
 */
final class LatencyBenchmark {

    private static final int WARM_UP = 200;
    private static final int JOBS = 300;
    private static final int GAP_MILLIS = 20;

    private LatencyBenchmark() {}

    public static void main(String[] args) throws Exception {
        LogConfig.configureRuntime();
        Path home = Files.createTempDirectory("imagen-bench");
        Settings settings = SettingsLoader.load(Map.of("imagen.home", home.toString(), "server.port", "0"));
        try (var embedded = EmbeddedPostgres.start(home)) {
            System.out.printf("%-22s %8s %8s %8s %8s%n", "ms", "p50", "p95", "p99", "max");
            try (var system = BenchSystem.start(settings, embedded.logins())) {
                Percentiles floor = new FloorLoop(system.databaseSettings().owner(), GAP_MILLIS).measure(WARM_UP, JOBS);
                floor.print("floor pickup");
                system.startWorker();
                new SqlClient(system).measure(WARM_UP);
                var sql = new SqlClient(system).measure(JOBS);
                sql.pickup().print("sql pickup");
                sql.done().print("sql done");
                new PostClient(system.port()).measure(WARM_UP / 4);
                new PostClient(system.port()).measure(JOBS).print("post to done event");
                new AccessCost(system).print(WARM_UP * 5, JOBS * 5, new PostClient(system.port()).done());
                System.out.printf("sql pickup / floor: p50 %.2f, p99 %.2f%n", sql.pickup().at(50) / floor.at(50),
                        sql.pickup().at(99) / floor.at(99));
            }
        } finally {
            delete(home);
        }
        System.exit(0);
    }

    static void delete(Path home) throws IOException {
        try (var files = Files.walk(home)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** Between two jobs: the system is idle. */
    static void gap() throws InterruptedException {
        Thread.sleep(GAP_MILLIS);
    }

    static SQLException unexpected(String what) {
        return new SQLException("the benchmark saw " + what);
    }
}
