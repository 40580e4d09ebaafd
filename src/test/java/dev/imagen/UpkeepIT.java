package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.imagen.database.EmbeddedPostgres;
import dev.imagen.testing.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process removes what is done with, from the database and from the disk. */
class UpkeepIT {

    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    private Path home;

    @Test
    void jobs_images_and_orphaned_files_go_when_they_are_old_enough() throws Exception {
        try (var service = ServiceProcess.start(home,
                Map.of("RETENTION_JOBS", "PT1H", "RETENTION_IMAGES", "PT1H", "RETENTION_EVERY", "PT1S"))) {
            service.awaitReady();
            assertThat(service.send("POST", "/jobs", "{\"prompt\": \"a lighthouse at dawn\"}").body())
                    .contains("\"status\":\"done\"");
            var stored = files();
            assertThat(stored).hasSize(1);
            Files.copy(stored.getFirst(), Path.of(stored.getFirst().toString().replace("-1.png", "-2.png")));
            execute("insert into imagen.job_attempts (job_id, attempt, outcome, ended_at)"
                    + " select id, 2, 'rescued', now() - interval '2 hours' from imagen.jobs");
            await().atMost(SOON).until(() -> files().equals(stored));
            assertThat(count("imagen.jobs")).isOne();

            execute("update imagen.jobs set completed_at = now() - interval '2 hours'",
                    "update imagen.images set created_at = now() - interval '2 hours'");
            await().atMost(SOON).until(() -> count("imagen.jobs") == 0);
            await().atMost(SOON).until(() -> service.send("GET", "/images", "").body().contains("\"images\":[]"));
            assertThat(files()).isEqualTo(stored);

            execute("update imagen.images set deleted_at = now() - interval '6 minutes'");
            await().atMost(SOON).until(() -> count("imagen.images") == 0);
            assertThat(files()).isEmpty();
            assertThat(service.output()).doesNotContain("WARNING");
        }
    }

    private List<Path> files() throws IOException {
        try (var files = Files.walk(home.resolve("images"))) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    private int count(String table) throws SQLException {
        try (var connection = connect();
                var statement = connection.createStatement();
                var result = statement.executeQuery("select count(*) from " + table)) {
            result.next();
            return result.getInt(1);
        }
    }

    private void execute(String... statements) throws SQLException {
        try (var connection = connect(); var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private Connection connect() throws SQLException {
        var login = EmbeddedPostgres.running(home).orElseThrow().service();
        return DriverManager.getConnection(login.url(), login.username(), login.password());
    }
}
