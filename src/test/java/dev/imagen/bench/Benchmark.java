package dev.imagen.bench;

import io.helidon.logging.common.LogConfig;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * ImaGen beside what its PostgreSQL can do at most, and beside other queues where they are there: {@code mvn -q -Pbench
 * test-compile exec:exec}. Each run goes through all measurements, so that what the machine does meanwhile falls on all
 * of them; docs/benchmarks.md explains the numbers. Every sample is a line of {@code target/bench/results.jsonl}.
 *
 * <ul>
 * <li>{@code bench.runs}, {@code bench.jobs}, {@code bench.finished}: how often and how much
 * <li>{@code bench.steps}: some of {@code bound enqueue growth scaling jvm}
 * <li>{@code bench.peers}: the folder of a harness whose {@code run.sh} measures other queues, and ImaGen among them
 * </ul>
 */
final class Benchmark {

    private static final int RUNS = Integer.getInteger("bench.runs", 3);
    private static final int JOBS = Integer.getInteger("bench.jobs", 20_000);
    private static final int FINISHED = Integer.getInteger("bench.finished", 1_000_000);
    private static final int BACKLOG = 10;
    private static final int FEW = 4000;
    private static final int PICKUPS = 300;
    private static final String GAP_MILLIS = "20";
    private static final Set<String> STEPS = Set
            .of(System.getProperty("bench.steps", "bound enqueue growth").split("[ ,]+"));
    private static final Path FOLDER = Path.of("target/bench");

    private final BenchServer server;
    private final List<Sample> samples = new ArrayList<>();

    private Benchmark(BenchServer server) {
        this.server = server;
    }

    public static void main(String[] args) throws Exception {
        LogConfig.configureRuntime();
        Files.createDirectories(FOLDER);
        Files.deleteIfExists(FOLDER.resolve("results.jsonl"));
        var data = Files.createTempDirectory("imagen-bench");
        try (var server = BenchServer.start(data.resolve("data"))) {
            new Benchmark(server).run();
        } finally {
            LatencyBenchmark.delete(data);
        }
        var peers = System.getProperty("bench.peers", "");
        if (!peers.isEmpty()) {
            new Peers(Path.of(peers), FOLDER, RUNS, FINISHED).run();
        }
        System.exit(0);
    }

    private void run() throws Exception {
        server.create("empty", "template1");
        measure("empty", Growth.EMPTY, 0, "setup");
        for (Growth growth : tables()) {
            server.create(template(growth), "empty");
            server.execute(template(growth), growth.sql(FINISHED, JOBS * BACKLOG));
            server.tidy(template(growth));
        }
        for (int run = 1; run <= RUNS; run++) {
            if (STEPS.contains("bound")) {
                bounds(run);
            }
            if (STEPS.contains("enqueue")) {
                enqueue(run);
            }
            for (Growth growth : STEPS.contains("growth") ? tables() : List.<Growth>of()) {
                drain(growth, run);
                pickup(growth, run);
            }
            if (STEPS.contains("scaling")) {
                scaling(run);
            }
            for (JvmOptions options : STEPS.contains("jvm") ? JvmOptions.values() : new JvmOptions[0]) {
                jvm(options, run);
            }
        }
        new Report(samples).print();
    }

    private static List<Growth> tables() {
        return STEPS.contains("growth") ? List.of(Growth.values()) : List.of(Growth.EMPTY);
    }

    private static String template(Growth growth) {
        return "filled_" + growth.name().toLowerCase();
    }

    private void bounds(int run) throws Exception {
        if (!PgBench.installed()) {
            System.err.println("pgbench is not on the PATH: its bounds are left out");
            return;
        }
        var bound = new PgBench(server, FOLDER, run);
        keep(bound.drains(JOBS));
        keep(List.of(bound.insert(FEW, 1), bound.insert(FEW, 8)));
    }

    private void enqueue(int run) throws Exception {
        each(run, List.of(List.of("enqueue", "" + FEW, "1"), List.of("enqueue", "" + FEW, "8"),
                List.of("bulk", "" + JOBS), List.of("copy", "" + JOBS), List.of("rest", "" + JOBS / 2, "1"),
                List.of("rest", "" + JOBS, "8"), List.of("finish", "" + PICKUPS),
                List.of("latency", "post", "" + PICKUPS, GAP_MILLIS), List.of("floor", "" + PICKUPS, GAP_MILLIS)));
    }

    private void each(int run, List<List<String>> measurements) throws Exception {
        for (var arguments : measurements) {
            server.create(BenchServer.DATABASE, "empty");
            measure(BenchServer.DATABASE, Growth.EMPTY, run, arguments.toArray(String[]::new));
        }
    }

    /** What docs/scaling.md tells. */
    private void scaling(int run) throws Exception {
        each(run, List.of(List.of("silent", "" + FEW, "1"), List.of("silent", "" + FEW, "8"),
                List.of("looks", "" + FEW, "1"), List.of("looks", "" + FEW, "8")));
        for (int concurrency : new int[]{1, 8, 64}) {
            pending(Growth.EMPTY);
            var environment = environment(Growth.EMPTY, run);
            environment.put("PHASE", concurrency + "_at_once");
            environment.put("BENCH_SETTINGS", "worker.concurrency=" + concurrency);
            measure(System.getProperty("bench.jvm"), environment, "drain", "" + Math.min(JOBS, FEW * concurrency));
        }
    }

    private void drain(Growth growth, int run) throws Exception {
        pending(growth);
        measure(BenchServer.DATABASE, growth, run, "drain", "" + JOBS);
    }

    /** A database with what is drained. */
    private void pending(Growth growth) throws SQLException {
        server.create(BenchServer.DATABASE, template(growth));
        if (!growth.drainsItself()) {
            server.execute(BenchServer.DATABASE, Growth.PENDING.sql(0, JOBS));
        }
        server.tidy(BenchServer.DATABASE);
    }

    /** Only where the worker is idle. */
    private void pickup(Growth growth, int run) throws Exception {
        if (!growth.drainsItself()) {
            server.create(BenchServer.DATABASE, template(growth));
            measure(BenchServer.DATABASE, growth, run, "latency", "sql", "" + PICKUPS, GAP_MILLIS);
        }
    }

    private void jvm(JvmOptions options, int run) throws Exception {
        var environment = environment(Growth.EMPTY, run);
        environment.put("PHASE", options.name().toLowerCase());
        pending(Growth.EMPTY);
        measure(options.options(), environment, "drain", "" + JOBS);
        server.create(BenchServer.DATABASE, "empty");
        measure(options.options(), environment, "latency", "sql", "" + PICKUPS, GAP_MILLIS);
    }

    private void measure(String database, Growth growth, int run, String... arguments)
            throws IOException, InterruptedException {
        var environment = environment(growth, run);
        environment.put("JDBC_URL", server.url(database));
        measure(System.getProperty("bench.jvm"), environment, arguments);
    }

    private Map<String, String> environment(Growth growth, int run) throws IOException {
        return new HashMap<>(Map.of("JDBC_URL", server.url(BenchServer.DATABASE), "PG_PID", "" + server.pid(), "PHASE",
                growth.phase(), "RUN", "" + run, "BENCH_SETTINGS", growth.settings()));
    }

    private void measure(String options, Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command(options, arguments)).redirectError(Redirect.INHERIT);
        builder.environment().putAll(environment);
        var process = builder.start();
        var lines = process.inputReader().lines().filter(line -> line.startsWith("{")).toList();
        if (process.waitFor() != 0) {
            throw new IOException("the measurement failed: " + String.join(" ", arguments) + " " + environment);
        }
        for (String line : lines) {
            keep(List.of(Sample.parse(line)));
        }
    }

    /** One measurement as a process, with these options of the JVM. */
    static List<String> command(String options, String... arguments) {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options.split(" ")));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Measurement.class.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    private void keep(List<Sample> measured) throws IOException {
        samples.addAll(measured);
        for (Sample sample : measured) {
            Files.writeString(FOLDER.resolve("results.jsonl"), sample.json() + "\n", StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
            System.err.printf("%d %s %s %s %s %.2f %s%n", sample.run(), sample.peer(), sample.phase(), sample.metric(),
                    sample.variant(), sample.value(), sample.unit());
        }
    }
}
