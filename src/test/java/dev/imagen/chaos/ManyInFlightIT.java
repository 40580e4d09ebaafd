package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.OpenAiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One process with thousands of pictures in the making at a server that takes its time. */
@Timeout(600)
class ManyInFlightIT {

    private static final int JOBS = Form.of(500, 10_000);
    private static final Duration PICTURE = Duration.ofSeconds(Form.of(1, 20));
    private static final int HEARTBEATS = Form.of(1, 5);
    private static final String LEASE = "PT" + Form.of(3, 15) + "S";

    private static final String INSERT = """
            insert into imagen.jobs (owner_user_id, prompt, width, height)
            select '%s', 'a quiet bay', 64, 64 from generate_series(1, ?)
            """.formatted(Jobs.OWNER);

    /** Of all loops of a process between two heartbeats: polls, looks, upkeep, health. */
    private static final int STATEMENTS = 50;

    /** Shorter pins cost nobody anything. */
    private static final String RECORDED = """
            <?xml version="1.0" encoding="UTF-8"?>
            <configuration version="2.0">
              <event name="jdk.VirtualThreadPinned">
                <setting name="enabled">true</setting>
                <setting name="stackTrace">true</setting>
                <setting name="threshold">20 ms</setting>
              </event>
              <event name="jdk.GCHeapSummary"><setting name="enabled">true</setting></event>
            </configuration>
            """;

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void as_many_jobs_as_there_may_be_are_in_flight_at_once_within_a_gibibyte_and_all_are_done() throws Exception {
        stage.migrate();
        var recording = stage.folder().resolve("service.jfr");
        var release = new CountDownLatch(1);
        try (var openai = OpenAiServer.start()) {
            var worker = stage.hire(environment(openai));
            stage.crew().awaitReady();
            runOne();
            openai.hold(release);
            stage.sql().execute(INSERT, JOBS);
            stage.until("every job is in flight", () -> openai.calls() == 1 + JOBS);
            assertThat(stage.jobs().count("status = 'running'")).isEqualTo(JOBS);
            assertStatementsDoNotCount();
            release.await(PICTURE.toMillis(), TimeUnit.MILLISECONDS);
            release.countDown();
            stage.until("half of the jobs have ended", () -> stage.jobs().count("status = 'done'") >= JOBS / 2);
            stage.until("all jobs have ended", stage.jobs()::allEnded);
            assertThat(stage.jobs().count("status = 'done' and attempt = 1")).isEqualTo(1 + JOBS);
            assertThat(openai.calls()).isEqualTo(1 + JOBS);
            dump(worker.process().pid(), recording);
            stage.crew().stop(worker);
        }
        assertNothingWasPinned(recording);
    }

    /** The first use of a class pins whoever comes second. It happens once in the life of a process: here. */
    private void runOne() throws Exception {
        stage.sql().execute(INSERT, 1);
        stage.until("the first job has ended", stage.jobs()::allEnded);
    }

    private Map<String, String> environment(OpenAiServer openai) throws IOException {
        var configuration = Files.writeString(stage.folder().resolve("recorded.jfc"), RECORDED);
        return Map.of("WORKER_CONCURRENCY", "10000", "WORKER_LEASE", LEASE, "BACKENDS_OPENAI_URL",
                openai.url().toString(), "BACKENDS_OPENAI_KEY", OpenAiServer.KEY, "BACKENDS_OPENAI_MODEL",
                "gpt-image-2", "JDK_JAVA_OPTIONS",
                "-Xmx1g -XX:StartFlightRecording:name=flight,settings=" + configuration);
    }

    /** While nothing but heartbeats has anything to say. On one connection: to open one costs statements, too. */
    private void assertStatementsDoNotCount() throws SQLException {
        try (var connection = stage.sql().connect(); var statement = connection.createStatement()) {
            var own = new AtomicLong();
            long before = statements(statement);
            for (int i = 0; i < HEARTBEATS; i++) {
                var last = heartbeat(statement, own);
                stage.until("another heartbeat", () -> !heartbeat(statement, own).equals(last));
            }
            assertThat(statements(statement) - before - own.get()).isLessThan((long) STATEMENTS * HEARTBEATS);
        }
    }

    private static long statements(Statement statement) throws SQLException {
        return (Long) value(statement, "select xact_commit from pg_stat_database where datname = current_database()");
    }

    private static Object heartbeat(Statement statement, AtomicLong asked) throws SQLException {
        asked.incrementAndGet();
        return value(statement, "select max(heartbeat_at) from imagen.workers");
    }

    private static Object value(Statement statement, String sql) throws SQLException {
        try (var result = statement.executeQuery(sql)) {
            result.next();
            return result.getObject(1);
        }
    }

    private static void dump(long pid, Path recording) throws IOException, InterruptedException {
        var jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        var dump = new ProcessBuilder(jcmd, String.valueOf(pid), "JFR.dump", "name=flight", "filename=" + recording)
                .redirectErrorStream(true).start();
        var said = new String(dump.getInputStream().readAllBytes());
        assertThat(dump.waitFor()).as(said).isZero();
    }

    private static void assertNothingWasPinned(Path recording) throws IOException {
        List<RecordedEvent> events = RecordingFile.readAllEvents(recording);
        var heap = events.stream().filter(event -> event.getEventType().getName().equals("jdk.GCHeapSummary"))
                .filter(event -> event.getString("when").equals("After GC"))
                .mapToLong(event -> event.getLong("heapUsed"));
        System.out.printf("%d jobs in flight: at most %d MiB of heap in use after a collection%n", JOBS,
                heap.max().orElse(0) >> 20);
        assertThat(events.stream().filter(event -> event.getEventType().getName().equals("jdk.VirtualThreadPinned")))
                .isEmpty();
    }
}
