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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PatientDriverTest {

    @TempDir
    private Path folder;

    private final PatientDriver driver = new PatientDriver();
    private RestartableServer server;

    @BeforeEach
    void start() throws IOException, SQLException {
        server = RestartableServer.running(folder.resolve("data"));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private Connection connect(String user) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", user);
        return driver.connect(server.url(), properties);
    }

    private void assertTold(String user, String why) {
        assertThatExceptionOfType(SQLException.class).isThrownBy(() -> connect(user)).withMessageContaining(why);
    }

    @Test
    void a_server_that_is_away_is_told_once_and_then_waited_for() throws Exception {
        server.stop();
        assertTold("postgres", "refused");
        var waiting = new CompletableFuture<Connection>();
        Thread.ofVirtual().start(() -> {
            try {
                waiting.complete(connect("postgres"));
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
        server.stop();
        assertTold("postgres", "refused");
        Thread.currentThread().interrupt();
        assertTold("postgres", "refused");
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void a_login_that_is_refused_is_told_each_time() {
        assertTold("nobody", "does not exist");
        assertTold("nobody", "does not exist");
    }
}
