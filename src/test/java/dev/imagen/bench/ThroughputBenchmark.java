package dev.imagen.bench;

import dev.imagen.config.Settings;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.EmbeddedPostgres;
import io.helidon.logging.common.LogConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * How many jobs a second go into the queue and through it: {@code mvn -q test-compile exec:exec@throughput}. Embedded
 * PostgreSQL with fsync on, on the machine's own disk; pictures that are there at once ({@link InstantPipeline}), so
 * that only the queue is measured.
 *
 * <ul>
 * <li>insert: by SQL, one job in a transaction; with and without the trigger {@code jobs_after_insert}, which counts
 * and notifies; many in a statement
 * <li>post: POST /jobs in mode none
 * <li>looks: what each process that hears of a new job asks the server if another one was faster
 * <li>drain: from the start of a worker to the end of its last job, each with its image, usage and attempt rows
 * </ul>
 */
final class ThroughputBenchmark {

    private static final int INSERTS = 4000;
    private static final int IN_ONE = 1000;
    private static final int JOBS = 5000;
    private static final int[] CLIENTS = {1, 8};
    private static final int[] CONCURRENCY = {1, 4, 16, 64};

    private ThroughputBenchmark() {}

    public static void main(String[] args) throws Exception {
        LogConfig.configureRuntime();
        Path home = Files.createTempDirectory("imagen-bench");
        try (var embedded = EmbeddedPostgres.start(home)) {
            System.out.printf("%-40s %10s%n", "jobs/s", "");
            enqueue(home, embedded);
            for (int concurrency : CONCURRENCY) {
                drain(home, embedded, concurrency);
            }
        } finally {
            LatencyBenchmark.delete(home);
        }
        System.exit(0);
    }

    private static void enqueue(Path home, EmbeddedPostgres embedded) throws Exception {
        try (var system = BenchSystem.start(settings(home, 1), embedded.logins())) {
            var rates = new EnqueueRates(system);
            rates.insertOneByOne(INSERTS, 1);
            rates.post(INSERTS, 1);
            for (int clients : CLIENTS) {
                print("insert, " + clients + " connections", rates.insertOneByOne(INSERTS, clients));
                print("insert without its trigger, " + clients + " connections",
                        rates.insertSilently(INSERTS, clients));
                print("POST /jobs, " + clients + " connections", rates.post(INSERTS, clients));
            }
            print("insert, " + IN_ONE + " in a statement", rates.insertTogether(INSERTS * 5, IN_ONE));
            rates.clear();
            var looks = new IdleLooks(system, settings(home, 1).worker());
            looks.measure(INSERTS, 1);
            print("looks at an empty queue, 1 connection", looks.measure(INSERTS, 1));
            print("looks at an empty queue, 8 connections", looks.measure(INSERTS, 8));
        }
    }

    private static void drain(Path home, EmbeddedPostgres embedded, int concurrency) throws Exception {
        try (var system = BenchSystem.start(settings(home, concurrency), embedded.logins(),
                Optional.of(new InstantPipeline(_ -> {})))) {
            new EnqueueRates(system).insertTogether(JOBS, IN_ONE);
            long begin = System.nanoTime();
            system.startWorker();
            system.awaitFinished(JOBS);
            print("drain, " + concurrency + " at once", JOBS * 1e9 / (System.nanoTime() - begin));
        }
    }

    private static Settings settings(Path home, int concurrency) {
        return SettingsLoader.load(Map.of("imagen.home", home.toString(), "server.port", "0", "worker.concurrency",
                String.valueOf(concurrency)));
    }

    private static void print(String name, double perSecond) {
        System.out.printf("%-40s %10.0f%n", name, perSecond);
    }
}
