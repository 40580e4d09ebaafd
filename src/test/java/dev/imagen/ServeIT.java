package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.imagen.database.EmbeddedPostgres;
import dev.imagen.k8s.Monitoring;
import dev.imagen.testing.ServiceProcess;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes on the embedded server. */
class ServeIT {

    private static final String OWNER = "00000000-0000-4000-8000-000000000001";
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path home;

    /** For those that need no first start, which takes longer than any other. */
    @TempDir
    private static Path used;

    @Test
    void a_bare_start_serves_and_its_banner_can_be_pasted_and_sigterm_ends_it_with_0() throws Exception {
        try (var service = ServiceProcess.start(home, Map.of())) {
            var base = service.awaitReady();
            assertThat(service.output()).contains("curl -s " + base + "/jobs");
            assertThat(service.psqlUrl()).matches("postgresql://imagen@127.0.0.1:\\d+/imagen\\?passfile=/\\S+");
            var posted = service.send("POST", "/jobs", "{\"prompt\": \"a lighthouse at dawn\"}");
            assertThat(posted.statusCode()).isEqualTo(201);
            assertThat(posted.body()).contains("\"status\":\"done\"");
            insert("a harbour at dusk");
            await().atMost(SOON).until(() -> count("status = 'done'") == 2);
            assertThat(service.send("GET", "/observe/health/ready", "").statusCode()).isEqualTo(200);

            service.terminate();
            assertThat(service.awaitExit()).as(service.output()).isZero();
            assertThat(service.output()).doesNotContain("WARNING").doesNotContain("SEVERE").doesNotContain("Exception");
        }
        assertThat(EmbeddedPostgres.running(home)).isEmpty();
    }

    @Test
    void metrics_tell_what_the_process_did_and_what_waits() throws Exception {
        home = used;
        try (var service = ServiceProcess.start(home, Map.of("MOCK_FAILURES", "0.0"))) {
            service.send("POST", "/jobs", "{\"prompt\": \"one\"}");
            service.send("POST", "/jobs", "{\"prompt\": \"two\"}");
            schedule("later");
            var metrics = service.send("GET", "/observe/metrics", "").body();
            assertThat(Monitoring.queries()).hasSizeGreaterThan(15)
                    .allSatisfy(query -> assertThat(query.missing(metrics)).isEmpty());
            assertThat(metrics).containsPattern("imagen_jobs_claimed_total\\{backend=\"mock\"[^}]*\\} 2\\.0")
                    .containsPattern("imagen_jobs_finished_total\\{[^}]*outcome=\"done\"[^}]*\\} 2\\.0")
                    .containsPattern("imagen_job_pickup_seconds_count\\{[^}]*\\} 2\\.0")
                    .containsPattern("imagen_job_run_seconds_bucket\\{backend=\"mock\"[^}]*le=\"\\+Inf\"[^}]*\\} 2\\.0")
                    .containsPattern("imagen_queue_jobs\\{[^}]*status=\"scheduled\"[^}]*\\} 1\\.0")
                    .containsPattern("imagen_queue_jobs\\{[^}]*status=\"pending\"[^}]*\\} 0\\.0")
                    .containsPattern("imagen_queue_oldest_pending_seconds\\{[^}]*\\} 0\\.0")
                    .containsPattern("imagen_database_oldest_transaction_seconds\\{[^}]*\\} \\d")
                    .containsPattern("imagen_database_oldest_xmin_age\\{[^}]*\\} \\d")
                    .containsPattern("imagen_database_up\\{[^}]*\\} 1\\.0")
                    .containsPattern("imagen_jobs_in_flight\\{[^}]*\\} 0\\.0")
                    .containsPattern("imagen_event_streams\\{[^}]*\\} 0\\.0")
                    .containsPattern("imagen_jobs_rescued_total\\{[^}]*\\} 0\\.0")
                    .containsPattern("imagen_listener_reconnects_total\\{[^}]*\\} 0\\.0");
        }
    }

    @Test
    void a_second_process_on_the_same_folder_says_so_in_one_line_and_exits_with_1() throws Exception {
        home = used;
        try (var first = ServiceProcess.start(home, Map.of())) {
            first.awaitReady();
            var second = ServiceProcess.start(home, Map.of());
            assertThat(second.awaitExit()).isEqualTo(1);
            assertThat(second.output().lines()).singleElement().asString().contains("another imagen process uses")
                    .contains("IMAGEN_HOME");
        }
    }

    @Test
    void after_sigkill_the_next_start_stops_the_orphaned_server_and_finishes_the_job() throws Exception {
        home = used;
        try (var killed = ServiceProcess.start(home, Map.of("MOCK_DELAY", "PT10M"))) {
            killed.awaitReady();
            insert("interrupted");
            await().atMost(SOON).until(() -> count("status = 'running'") == 1);
            killed.kill();
        }
        try (var next = ServiceProcess.start(home, Map.of())) {
            next.awaitReady();
            await().atMost(SOON).until(() -> count("status = 'done' and attempt = 2 and failures = 1") == 1);
        }
    }

    @Test
    void sigterm_lets_the_job_in_flight_finish() throws Exception {
        home = used;
        try (var service = ServiceProcess.start(home, Map.of("MOCK_DELAY", "PT2S"))) {
            service.awaitReady();
            insert("in flight");
            await().atMost(SOON).until(() -> count("status = 'running'") == 1);
            service.terminate();
            assertThat(service.awaitExit()).as(service.output()).isZero();
        }
        try (var embedded = EmbeddedPostgres.start(home)) {
            assertThat(count("prompt = 'in flight' and status = 'done' and attempt = 1")).isEqualTo(1);
            assertThat(embedded.logins().port()).isPositive();
        }
    }

    @Test
    void after_the_grace_a_job_is_handed_back_without_spending_an_attempt() throws Exception {
        home = used;
        try (var service = ServiceProcess.start(home, Map.of("MOCK_DELAY", "PT10M", "WORKER_GRACE", "PT0S"))) {
            service.awaitReady();
            insert("too long");
            await().atMost(SOON).until(() -> count("status = 'running'") == 1);
            service.terminate();
            assertThat(service.awaitExit()).as(service.output()).isZero();
            assertThat(service.output()).contains("handing back 1 jobs");
        }
        try (var next = ServiceProcess.start(home, Map.of())) {
            next.awaitReady();
            await().atMost(SOON).until(() -> count("status = 'done' and attempt = 2 and failures = 0") == 1);
        }
    }

    @Test
    void a_setting_that_cannot_work_ends_the_start_with_2_and_names_the_key() throws Exception {
        var service = ServiceProcess.start(home, Map.of("WORKER_CONCURRENCY", "0"));
        assertThat(service.awaitExit()).isEqualTo(2);
        assertThat(service.output())
                .isEqualTo("imagen: worker.concurrency (WORKER_CONCURRENCY) is 0, must be from 1 to 10000");
    }

    private void insert(String prompt) throws SQLException {
        try (var connection = connect();
                var statement = connection
                        .prepareStatement("insert into imagen.jobs (owner_user_id, prompt) values (?::uuid, ?)")) {
            statement.setString(1, OWNER);
            statement.setString(2, prompt);
            statement.execute();
        }
    }

    private void schedule(String prompt) throws SQLException {
        try (var connection = connect();
                var statement = connection.prepareStatement("insert into imagen.jobs (owner_user_id, prompt, run_at)"
                        + " values (?::uuid, ?, now() + interval '1 day')")) {
            statement.setString(1, OWNER);
            statement.setString(2, prompt);
            statement.execute();
        }
    }

    private int count(String condition) throws SQLException {
        try (var connection = connect();
                var statement = connection.createStatement();
                var result = statement.executeQuery("select count(*) from imagen.jobs where " + condition)) {
            result.next();
            return result.getInt(1);
        }
    }

    private Connection connect() throws SQLException {
        var login = EmbeddedPostgres.running(home).orElseThrow().service();
        return DriverManager.getConnection(login.url(), login.username(), login.password());
    }
}
