package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.testing.RestartableServer;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PatientDriverTest {

    @TempDir
    private static Path folder;

    private static RestartableServer server;

    private final PatientDriver driver = new PatientDriver();

    @BeforeAll
    static void start() throws IOException, SQLException {
        server = RestartableServer.running(folder.resolve("data"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private Connection connect(String url, String user) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", user);
        return driver.connect(url, properties);
    }

    private void assertTold(String url, String user, String why) {
        assertThatExceptionOfType(SQLException.class).isThrownBy(() -> connect(url, user)).withMessageContaining(why);
    }

    @Test
    void a_server_that_is_away_is_told_once_and_then_waited_for() throws Exception {
        server.stop();
        assertTold(server.url(), "postgres", "refused");
        var waiting = new CompletableFuture<Connection>();
        Thread.ofVirtual().start(() -> {
            try {
                waiting.complete(connect(server.url(), "postgres"));
            } catch (SQLException e) {
                waiting.completeExceptionally(e);
            }
        });
        server.start();
        try (var connection = waiting.get(30, TimeUnit.SECONDS)) {
            assertThat(connection.isValid(10)).isTrue();
        }
    }

    @Test
    void a_pool_that_is_closed_waits_no_longer() throws Exception {
        var nobody = "jdbc:postgresql://127.0.0.1:" + RestartableServer.freePort() + "/app";
        assertTold(nobody, "postgres", "refused");
        Thread.currentThread().interrupt();
        assertTold(nobody, "postgres", "refused");
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void a_login_that_is_refused_is_told_each_time() {
        assertTold(server.url(), "nobody", "does not exist");
        assertTold(server.url(), "nobody", "does not exist");
    }
}
