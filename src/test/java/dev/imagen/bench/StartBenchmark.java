package dev.imagen.bench;

import dev.imagen.testing.RestartableServer;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How soon the packaged service is ready, and what it costs while nothing happens: {@code mvn -q test-compile
 * exec:exec@start}, after {@code sh docs/aot.sh target/imagen.aot OPTIONS -jar target/imagen.jar} with the options
 * below. On a PostgreSQL of its own that runs and is migrated already; API, page and worker.
 *
 * <ul>
 * <li>ready: from before the start of the process to the first 200 of its readiness probe, which is asked all the time
 * <li>cpu: processor time until then
 * <li>idle: processor time in a minute without a request, from some seconds after the start
 * </ul>
 */
final class StartBenchmark {

    private static final Path JAR = Path.of("target/imagen.jar");
    private static final Path CACHE = Path.of("target/imagen.aot");
    private static final List<String> OPTIONS = List.of("-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders");
    private static final int RUNS = 10;
    private static final int OK = 200;
    private static final Duration SETTLED = Duration.ofSeconds(15);
    private static final Duration IDLE = Duration.ofMinutes(1);

    private final HttpClient http = HttpClient.newHttpClient();
    private final Path folder;
    private final Map<String, String> environment;
    private final HttpRequest probe;

    private StartBenchmark(Path folder, RestartableServer server) throws IOException {
        int port = RestartableServer.freePort();
        this.folder = folder;
        this.environment = Map.of("IMAGEN_HOME", folder.toString(), "SERVER_PORT", String.valueOf(port),
                "DB_CONNECTION_URL", server.url(), "DB_CONNECTION_USERNAME", "postgres");
        this.probe = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/observe/health/ready")).build();
    }

    /** @param ready since before its start */
    private record Started(Process process, Duration ready, Duration cpu) {}

    public static void main(String[] args) throws Exception {
        for (Path file : List.of(JAR, CACHE)) {
            if (!Files.exists(file)) {
                throw new IllegalStateException("there is no " + file + ": mvn -q package -DskipTests, then"
                        + " sh docs/aot.sh " + CACHE + " " + String.join(" ", OPTIONS) + " -jar " + JAR);
            }
        }
        var folder = Files.createTempDirectory("imagen-bench");
        try (var server = RestartableServer.running(folder.resolve("data"))) {
            new StartBenchmark(folder, server).measure();
        } finally {
            delete(folder);
        }
        System.exit(0);
    }

    private void measure() throws IOException, InterruptedException {
        // Migrates.
        stop(start(List.of()));
        System.out.printf("%-22s %8s %8s %8s %8s%n", "ms", "p50", "p95", "p99", "max");
        starts("without a cache", List.of());
        var cached = List.of("-XX:AOTMode=on", "-XX:AOTCache=" + CACHE);
        starts("with the AOT cache", cached);
        var idle = start(cached);
        // The heaps of the first minute, the compilers and the pools are about the start.
        TimeUnit.NANOSECONDS.sleep(SETTLED.toNanos());
        var before = cpu(idle.process());
        TimeUnit.NANOSECONDS.sleep(IDLE.toNanos());
        var used = cpu(idle.process()).minus(before);
        stop(idle);
        System.out.printf("idle: %d ms of processor time in %d s, %.2f %% of a core%n", used.toMillis(),
                IDLE.toSeconds(), 100.0 * used.toMillis() / IDLE.toMillis());
    }

    private void starts(String name, List<String> cache) throws IOException, InterruptedException {
        var ready = new ArrayList<Duration>();
        var cpu = new ArrayList<Duration>();
        for (int i = 0; i < RUNS; i++) {
            var started = start(cache);
            stop(started);
            ready.add(started.ready());
            cpu.add(started.cpu());
        }
        percentiles(ready).print(name);
        percentiles(cpu).print("  processor time");
    }

    private static Percentiles percentiles(List<Duration> durations) {
        return Percentiles.ofNanos(durations.stream().mapToLong(Duration::toNanos).toArray());
    }

    private Started start(List<String> cache) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(cache);
        command.addAll(OPTIONS);
        command.addAll(List.of("-jar", JAR.toString()));
        var builder = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(folder.resolve("log").toFile()));
        builder.environment().putAll(environment);
        long began = System.nanoTime();
        var process = builder.start();
        while (!ready()) {
            if (!process.isAlive()) {
                throw new IOException("the process ended: " + Files.readString(folder.resolve("log")));
            }
            TimeUnit.MILLISECONDS.sleep(2);
        }
        return new Started(process, Duration.ofNanos(System.nanoTime() - began), cpu(process));
    }

    private boolean ready() throws InterruptedException {
        try {
            return http.send(probe, BodyHandlers.discarding()).statusCode() == OK;
        } catch (IOException e) {
            // It does not listen yet.
            return false;
        }
    }

    private static Duration cpu(Process process) {
        return process.info().totalCpuDuration().orElseThrow();
    }

    private static void stop(Started started) throws InterruptedException {
        started.process().destroy();
        started.process().waitFor();
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
