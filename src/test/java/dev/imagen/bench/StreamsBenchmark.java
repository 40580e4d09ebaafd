package dev.imagen.bench;

import dev.imagen.Main;
import dev.imagen.testing.RestartableServer;
import dev.imagen.testing.ServiceProcess;
import io.helidon.logging.common.LogConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * What 10,000 event streams of one process cost, and how soon a change reaches them: {@code mvn -q test-compile
 * exec:exec@streams}. The service is a process of its own, without a worker and with the options of this one; the
 * client is this one, so that each needs 10,000 files ({@code ulimit -n}). PostgreSQL runs beside them with fsync on.
 *
 * <ul>
 * <li>a change: from the return of the UPDATE (its commit) until this process has read the event, of each stream
 * <li>processor time: of the service, over all changes, those of the warm-up and heartbeats included
 * <li>heap: what is used after a full collection, with all streams open, after the changes
 * <li>resident: of the process, before that collection
 * </ul>
 */
final class StreamsBenchmark {

    private static final int STREAMS = Integer.getInteger("imagen.streams", 10_000);
    private static final int WARM_UP = 10;
    private static final int CHANGES = 40;
    private static final int CHANGES_OF_ONE = 1_000;
    private static final String OWNER = "00000000-0000-4000-8000-000000000001";

    private final Path folder;
    private final RestartableServer database;
    private final Connection client;

    private StreamsBenchmark(Path folder, RestartableServer database) throws SQLException {
        this.folder = folder;
        this.database = database;
        this.client = database.connect();
    }

    public static void main(String[] args) throws Exception {
        LogConfig.configureRuntime();
        var folder = Files.createTempDirectory("imagen-bench");
        try (var database = RestartableServer.running(folder.resolve("data"))) {
            new StreamsBenchmark(folder, database).measure();
        } finally {
            LatencyBenchmark.delete(folder);
        }
        System.exit(0);
    }

    private void measure() throws IOException, InterruptedException, SQLException {
        System.out.printf("%-22s %8s %8s %8s %8s%n", "ms", "p50", "p95", "p99", "max");
        measure("all watch one job", service -> {
            var job = insert(1).getFirst();
            return new Case(Collections.nCopies(STREAMS, events(job)), streams -> allTold(streams, job));
        });
        measure("all watch all jobs", service -> {
            var job = insert(1).getFirst();
            return new Case(Collections.nCopies(STREAMS, "/jobs/events"), streams -> allTold(streams, job));
        });
        measure("each watches its job", service -> {
            var jobs = insert(STREAMS);
            return new Case(jobs.stream().map(StreamsBenchmark::events).toList(), streams -> eachTold(streams, jobs));
        });
    }

    private static String events(UUID job) {
        return "/jobs/" + job + "/events";
    }

    /** @return the nanoseconds that each event took */
    @FunctionalInterface
    private interface Changes {
        long[] make(OpenStreams streams) throws SQLException, InterruptedException;
    }

    private record Case(List<String> paths, Changes changes) {}

    /** Needs the tables, which the service makes. */
    @FunctionalInterface
    private interface Prepared {
        Case by(ServiceProcess service) throws SQLException;
    }

    private void measure(String name, Prepared prepared) throws IOException, InterruptedException, SQLException {
        try (var service = start()) {
            int port = service.awaitReady().getPort();
            var prepare = prepared.by(service);
            long began = System.nanoTime();
            try (var streams = OpenStreams.open(port, prepare.paths())) {
                var opened = Duration.ofNanos(System.nanoTime() - began);
                var before = cpu(service);
                Percentiles.ofNanos(prepare.changes().make(streams)).print(name);
                var used = cpu(service).minus(before);
                var memory = ProcessMemory.of(service.pid());
                System.out.printf(
                        "  %d streams opened in %d ms; %d ms of processor time; heap %d MiB, resident %d MiB%n",
                        STREAMS, opened.toMillis(), used.toMillis(), memory.heap(), memory.resident());
            }
        }
        execute("delete from imagen.jobs");
    }

    private static Duration cpu(ServiceProcess service) {
        return ProcessHandle.of(service.pid()).flatMap(process -> process.info().totalCpuDuration()).orElseThrow();
    }

    private ServiceProcess start() throws IOException {
        var command = new ArrayList<>(List.of(ProcessMemory.tool("java")));
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "serve"));
        var environment = new HashMap<>(database.environment());
        environment.putAll(Map.of("SERVER_PORT", "0", "WORKER_ENABLED", "false", "SERVER_CONNECTIONS",
                String.valueOf(STREAMS + 100)));
        return ServiceProcess.start(folder, environment, command);
    }

    private long[] allTold(OpenStreams streams, UUID job) throws SQLException, InterruptedException {
        var nanos = new long[CHANGES * STREAMS];
        for (int change = -WARM_UP; change < CHANGES; change++) {
            gap();
            long committed = change(job);
            streams.await(STREAMS);
            for (int i = 0; change >= 0 && i < STREAMS; i++) {
                nanos[change * STREAMS + i] = streams.told(i) - committed;
            }
        }
        return nanos;
    }

    private long[] eachTold(OpenStreams streams, List<UUID> jobs) throws SQLException, InterruptedException {
        var nanos = new long[CHANGES_OF_ONE];
        for (int i = 0; i < CHANGES_OF_ONE; i++) {
            LatencyBenchmark.gap();
            int number = (int) ((long) i * STREAMS / CHANGES_OF_ONE);
            long committed = change(jobs.get(number));
            streams.await(1);
            nanos[i] = streams.told(number) - committed;
        }
        return nanos;
    }

    /** The streams are told, and all is quiet again. */
    private static void gap() throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(200);
    }

    private List<UUID> insert(int jobs) throws SQLException {
        try (var statement = client.prepareStatement("""
                insert into imagen.jobs (owner_user_id, prompt, run_at)
                select ?::uuid, 'a quiet bay', now() + interval '1 day' from generate_series(1, ?) returning id
                """)) {
            statement.setString(1, OWNER);
            statement.setInt(2, jobs);
            try (var rows = statement.executeQuery()) {
                var ids = new ArrayList<UUID>();
                while (rows.next()) {
                    ids.add(rows.getObject(1, UUID.class));
                }
                return ids;
            }
        }
    }

    /** From pending to running, or back. @return when it was committed, by System.nanoTime */
    private long change(UUID job) throws SQLException {
        execute("""
                update imagen.jobs set status = case status when 'pending' then 'running' else 'pending' end
                 where id = '%s'
                """.formatted(job));
        return System.nanoTime();
    }

    private void execute(String sql) throws SQLException {
        try (var statement = client.createStatement()) {
            statement.execute(sql);
        }
    }
}
