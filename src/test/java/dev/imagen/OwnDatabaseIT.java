package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.imagen.testing.RestartableServer;
import dev.imagen.testing.ServiceProcess;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes on a PostgreSQL of one's own, which goes away and comes back. */
class OwnDatabaseIT {

    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private RestartableServer database;

    @BeforeEach
    void makeDatabase() throws Exception {
        database = RestartableServer.running(folder.resolve("data"));
        database.stop();
    }

    @AfterEach
    void stopDatabase() throws Exception {
        database.close();
    }

    @Test
    void a_database_that_is_away_at_the_start_and_later_is_survived_without_a_restart() throws Exception {
        int port = RestartableServer.freePort();
        try (var service = ServiceProcess.start(folder, environment(port))) {
            await().atMost(SOON).until(() -> status(port, "/observe/health/live") == 200);
            assertThat(status(port, "/observe/health/ready")).isEqualTo(503);
            assertThat(status(port, "/observe/health/started")).isEqualTo(503);

            database.start();
            service.awaitReady();
            assertThat(status(port, "/observe/health/ready")).isEqualTo(200);
            assertThat(service.send("POST", "/jobs", "{\"prompt\": \"before\"}").body())
                    .contains("\"status\":\"done\"");

            database.stop();
            await().atMost(SOON).until(() -> status(port, "/observe/health/ready") == 503);
            assertThat(status(port, "/observe/health/live")).isEqualTo(200);
            var refused = service.send("POST", "/jobs", "{\"prompt\": \"meanwhile\"}");
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.body()).contains("the database does not answer now");

            database.start();
            insert("after");
            await().atMost(SOON).until(() -> done("after") == 1);
            await().atMost(SOON).until(() -> status(port, "/observe/health/ready") == 200);
        }
    }

    @Test
    void migrate_waits_for_a_database_that_is_started_after_it() throws Exception {
        try (var migrate = ServiceProcess.start(folder, environment(0), "migrate")) {
            await().atMost(SOON).until(() -> migrate.output().contains("waits up to 120 s for the database postgres@"));
            database.start();
            assertThat(migrate.awaitExit()).as(migrate.output()).isZero();
            assertThat(migrate.output()).contains("migrations applied");
        }
    }

    @Test
    void two_replicas_started_at_once_on_an_empty_database_share_the_work() throws Exception {
        database.start();
        try (var one = ServiceProcess.start(folder, environment(0));
                var two = ServiceProcess.start(folder, environment(0))) {
            one.awaitReady();
            two.awaitReady();
            for (int i = 0; i < 40; i++) {
                insert("shared");
            }
            await().atMost(SOON).until(() -> done("shared") == 40);
            assertThat(one.send("GET", "/jobs?limit=200", "").body())
                    .isEqualTo(two.send("GET", "/jobs?limit=200", "").body());
        }
        try (var connection = database.connect();
                var statement = connection.createStatement();
                var result = statement.executeQuery("""
                        select count(distinct worker_id) as workers, max(attempt) as attempts,
                               (select count(*) from imagen.images) as images from imagen.jobs""")) {
            result.next();
            assertThat(result.getInt("workers")).isEqualTo(2);
            assertThat(result.getInt("attempts")).isEqualTo(1);
            assertThat(result.getInt("images")).isEqualTo(40);
        }
    }

    @Test
    void a_login_that_the_server_refuses_ends_the_start_and_names_the_settings() throws Exception {
        database.start();
        var environment = environment(0);
        environment.put("DB_CONNECTION_USERNAME", "nobody");
        var service = ServiceProcess.start(folder, environment);
        assertThat(service.awaitExit()).isEqualTo(1);
        assertThat(service.output().lines()).singleElement().asString().contains("role \"nobody\" does not exist")
                .contains("DB_CONNECTION_");
    }

    private Map<String, String> environment(int port) {
        var environment = new HashMap<>(database.environment());
        environment.put("SERVER_PORT", String.valueOf(port));
        environment.put("WORKER_CONCURRENCY", "2");
        environment.put("MOCK_DELAY", "PT0.1S");
        return environment;
    }

    private static int status(int port, String path) throws IOException, InterruptedException {
        try (var http = HttpClient.newHttpClient()) {
            return http.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
                    BodyHandlers.discarding()).statusCode();
        } catch (ConnectException e) {
            return 0;
        }
    }

    private void insert(String prompt) throws SQLException {
        try (var connection = database.connect();
                var statement = connection.prepareStatement("insert into imagen.jobs (owner_user_id, prompt)"
                        + " values ('00000000-0000-4000-8000-000000000001', ?)")) {
            statement.setString(1, prompt);
            statement.execute();
        }
    }

    private int done(String prompt) throws SQLException {
        try (var connection = database.connect();
                var statement = connection
                        .prepareStatement("select count(*) from imagen.jobs where prompt = ? and status = 'done'")) {
            statement.setString(1, prompt);
            try (var result = statement.executeQuery()) {
                result.next();
                return result.getInt(1);
            }
        }
    }
}
