package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.MigrationException;
import dev.imagen.database.Migrations;
import dev.imagen.testing.RestartableServer;
import dev.imagen.testing.TestServer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ServerWaitTest {

    private static final ServerWait LONG = new ServerWait(Duration.ofMinutes(1), Duration.ofMillis(1));

    private final AtomicInteger tries = new AtomicInteger();

    @Test
    void a_server_that_is_away_is_tried_until_it_is_there() throws Exception {
        var away = away("127.0.0.1:" + RestartableServer.freePort());
        int done = LONG.patiently(away.owner(), () -> tries.incrementAndGet() < 4 ? new Migrations(away).run() : 7);
        assertThat(done).isEqualTo(7);
        assertThat(tries).hasValue(4);
    }

    @Test
    void a_name_that_nobody_knows_yet_may_become_known_but_not_for_ever() {
        var unknown = away("imagen-db-rw.invalid");
        var wait = new ServerWait(Duration.ZERO, Duration.ZERO);
        assertThatThrownBy(() -> wait.patiently(unknown.owner(), () -> tried(unknown)))
                .isInstanceOfSatisfying(DatabaseException.class, e -> assertThat(e.lost()).isTrue());
        assertThat(tries).hasValue(1);
    }

    @Test
    void a_login_that_the_server_refuses_is_told_at_once() throws SQLException {
        var wrong = settings(TestServer.shared().emptyDatabase().owner().url(), "nobody");
        assertThatThrownBy(() -> LONG.patiently(wrong.owner(), () -> tried(wrong)))
                .isInstanceOf(MigrationException.class);
        assertThat(tries).hasValue(1);
    }

    private int tried(DatabaseSettings settings) {
        tries.incrementAndGet();
        return new Migrations(settings).run();
    }

    private static DatabaseSettings away(String host) {
        return settings("jdbc:postgresql://" + host + "/app", "imagen_owner");
    }

    private static DatabaseSettings settings(String url, String username) {
        return SettingsLoader.load(Map.of("db.connection.url", url, "db.connection.username", username)).database();
    }
}
