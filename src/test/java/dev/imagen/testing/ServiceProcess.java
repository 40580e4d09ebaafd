package dev.imagen.testing;

import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/** A real process of the packaged service. */
public final class ServiceProcess implements AutoCloseable {

    private static final Pattern READY = Pattern.compile("ImaGen is ready: (http://\\S+)");
    private static final Pattern DUMPED = Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}");
    private static final Pattern PSQL = Pattern.compile("psql '(postgresql://\\S+)'");

    private final Process process;
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final CompletableFuture<URI> ready = new CompletableFuture<>();
    private final CompletableFuture<String> psql = new CompletableFuture<>();
    private final Thread reader;
    private volatile URI announced;

    private ServiceProcess(Process process) {
        this.process = process;
        this.reader = Thread.ofVirtual().start(this::read);
    }

    /** Starts a process. @param environment settings by environment name */
    public static ServiceProcess start(Path home, Map<String, String> environment, String... arguments)
            throws IOException {
        var command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC",
                        // Most live for seconds: what the second compiler would cost them is never earned back.
                        "-XX:TieredStopAtLevel=1", "-jar", System.getProperty("imagen.test.jar")));
        command.addAll(List.of(arguments));
        return start(home, environment, command);
    }

    /** Starts a process by a command of one's own. @param environment settings by environment name */
    public static ServiceProcess start(Path home, Map<String, String> environment, List<String> command)
            throws IOException {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("IMAGEN_HOME", home.toString());
        builder.environment().put("SERVER_PORT", "0");
        builder.environment().putAll(environment);
        return new ServiceProcess(builder.start());
    }

    private void read() {
        try (BufferedReader output = process.inputReader()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                lines.add(line);
                announce(line);
            }
        } catch (IOException e) {
            lines.add("(the output broke off: " + e.getMessage() + ")");
        } finally {
            ready.completeExceptionally(new IOException("the process ended:\n" + output()));
        }
    }

    /** The banner is whole with the line about psql, its last one. */
    private void announce(String line) {
        READY.matcher(line).results().forEach(found -> announced = URI.create(found.group(1)));
        PSQL.matcher(line).results().forEach(found -> {
            psql.complete(found.group(1));
            ready.complete(announced);
        });
    }

    /** Waits for the whole banner. @return the base URL */
    public URI awaitReady() throws InterruptedException {
        try {
            return ready.get(90, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new AssertionError("not ready: " + output(), e);
        }
    }

    /** Waits for the end. @return the exit code */
    public int awaitExit() throws InterruptedException {
        if (!process.waitFor(90, TimeUnit.SECONDS)) {
            throw new AssertionError("still running: " + output());
        }
        reader.join();
        return process.exitValue();
    }

    /** Asks it to stop (SIGTERM). */
    public void terminate() {
        // Not process.destroy(): that would close the pipe that its last words come through.
        process.toHandle().destroy();
    }

    /** Ends it at once (SIGKILL). */
    public void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
        reader.join();
    }

    /** Lets none of its threads go on (SIGSTOP), as a machine that sleeps or a frozen container would. */
    public void suspend() throws IOException, InterruptedException {
        Signals.send("STOP", pid());
    }

    /** Lets it go on (SIGCONT). */
    public void resume() throws IOException, InterruptedException {
        Signals.send("CONT", pid());
    }

    /** The local time that it sees: the head of the thread dump that a JVM prints when it is asked to (SIGQUIT). */
    public LocalDateTime clock() throws IOException, InterruptedException {
        int before = lines.size();
        Signals.send("QUIT", pid());
        return await().until(() -> lines.stream().skip(before).filter(line -> DUMPED.matcher(line).matches())
                .findFirst().map(line -> LocalDateTime.parse(line.replace(' ', 'T'))), Optional::isPresent)
                .orElseThrow();
    }

    /** Its process id, which its row in imagen.workers names too. */
    public long pid() {
        return process.pid();
    }

    public boolean alive() {
        return process.isAlive();
    }

    /** All that it has printed. */
    public String output() {
        return String.join("\n", lines);
    }

    /** What it has printed last. */
    public String lastOutput(int most) {
        var printed = List.copyOf(lines);
        return String.join("\n", printed.subList(Math.max(0, printed.size() - most), printed.size()));
    }

    /** The URL in the banner's psql line. */
    public String psqlUrl() throws InterruptedException {
        awaitReady();
        return psql.join();
    }

    /** Speaks with it; whoever asks for it closes it. */
    public TestClient client() throws InterruptedException {
        return new TestClient(awaitReady().getPort());
    }

    /** One request. */
    public HttpResponse<String> send(String method, String path, String body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(awaitReady().resolve(path)).header("Content-Type", "application/json")
                .header("Prefer", "wait=30").method(method, HttpRequest.BodyPublishers.ofString(body)).build();
        try (var http = HttpClient.newHttpClient()) {
            return http.send(request, BodyHandlers.ofString());
        }
    }

    @Override
    public void close() {
        terminate();
        try {
            process.onExit().orTimeout(30, TimeUnit.SECONDS).join();
        } catch (CompletionException e) {
            process.destroyForcibly().onExit().join();
        }
    }
}
