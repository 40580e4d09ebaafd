package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.testing.TestServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The LISTEN connection, on a database without any other connection of the process. */
@Tag("postgres")
class NotificationsTest {

    private static final String SESSIONS = """
            select pid from pg_stat_activity
             where datname = current_database() and application_name = 'imagen' and pid <> pg_backend_pid()
            """;

    private static final Duration LONGEST = Duration.ofMinutes(1);

    private final List<Notifications> opened = new ArrayList<>();
    private DatabaseSettings settings;
    private Connection connection;

    /** Hands everything that it hears to the test. */
    private static final class Ear implements Notifications.Subscriber {
        final BlockingQueue<Duration> connected = new LinkedBlockingQueue<>();
        final BlockingQueue<String> received = new LinkedBlockingQueue<>();

        @Override
        public void connected(Duration silence) {
            connected.add(silence);
        }

        @Override
        public void received(String payload) {
            received.add(payload);
        }
    }

    @BeforeEach
    void connect() throws SQLException {
        settings = TestServer.shared().emptyDatabase();
        connection = Connections.open(settings.owner(), settings.timeout());
    }

    @AfterEach
    void close() throws SQLException {
        opened.forEach(Notifications::close);
        connection.close();
    }

    private Notifications notifications(boolean listen) {
        var notifications = new Notifications(new DatabaseSettings(settings.connection(), settings.migration(), true,
                settings.listenerUrl(), listen, false, 2, settings.timeout()));
        opened.add(notifications);
        return notifications;
    }

    private Notifications listening(String channel, Ear ear) throws InterruptedException {
        var notifications = notifications(true);
        notifications.subscribe(channel, ear);
        notifications.start();
        assertThat(next(ear.connected)).isGreaterThanOrEqualTo(Duration.ZERO);
        return notifications;
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        var next = queue.poll(LONGEST.toSeconds(), TimeUnit.SECONDS);
        assertThat(next).as("heard in time").isNotNull();
        return next;
    }

    private void tell(String channel, String payload) throws SQLException {
        try (var statement = connection.prepareStatement("select pg_notify(?, ?)")) {
            statement.setString(1, channel);
            statement.setString(2, payload);
            statement.execute();
        }
    }

    private List<Integer> sessions() throws SQLException {
        try (var statement = connection.createStatement(); var result = statement.executeQuery(SESSIONS)) {
            var pids = new ArrayList<Integer>();
            while (result.next()) {
                pids.add(result.getInt(1));
            }
            return pids;
        }
    }

    @Test
    void notifications_arrive_in_their_order() throws Exception {
        var ear = new Ear();
        var notifications = listening("one", ear);
        for (var payload : List.of("a", "", "c")) {
            tell("one", payload);
        }
        assertThat(List.of(next(ear.received), next(ear.received), next(ear.received))).containsExactly("a", "", "c");
        assertThat(notifications.healthy()).isTrue();
        assertThat(notifications.reconnects()).isZero();
    }

    @Test
    void each_channel_goes_to_its_own_subscriber_and_no_other_channel_to_anybody() throws Exception {
        var one = new Ear();
        var two = new Ear();
        var notifications = notifications(true);
        notifications.subscribe("one", one);
        notifications.subscribe("two", two);
        notifications.start();
        next(one.connected);
        next(two.connected);
        tell("three", "for nobody");
        tell("two", "for two");
        tell("one", "for one");
        assertThat(next(one.received)).isEqualTo("for one");
        assertThat(next(two.received)).isEqualTo("for two");
        assertThat(one.received).isEmpty();
        assertThat(two.received).isEmpty();
    }

    @Test
    void it_waits_outside_any_transaction() throws Exception {
        var ear = new Ear();
        listening("one", ear);
        tell("one", "");
        next(ear.received);
        try (var statement = connection.createStatement();
                var result = statement.executeQuery(
                        "select state, xact_start from pg_stat_activity where pid = " + sessions().getFirst())) {
            result.next();
            assertThat(result.getString("state")).isEqualTo("idle");
            assertThat(result.getObject("xact_start")).isNull();
        }
    }

    @Test
    void a_lost_connection_comes_back_and_says_so() throws Exception {
        var ear = new Ear();
        var notifications = listening("one", ear);
        for (int loss = 1; loss <= 2; loss++) {
            terminate();
            assertThat(next(ear.connected)).isGreaterThanOrEqualTo(Duration.ZERO);
            assertThat(notifications.reconnects()).isEqualTo(loss);
            assertThat(notifications.healthy()).isTrue();
            tell("one", "after loss " + loss);
            assertThat(next(ear.received)).isEqualTo("after loss " + loss);
        }
        assertThat(sessions()).hasSize(1);
    }

    private void terminate() throws SQLException {
        for (int pid : sessions()) {
            connection.createStatement().execute("select pg_terminate_backend(" + pid + ", 10000)");
        }
    }

    @Test
    void a_subscriber_that_throws_does_not_end_the_listening() throws Exception {
        var ear = new Ear();
        var notifications = notifications(true);
        notifications.subscribe("bad", new Notifications.Subscriber() {
            @Override
            public void connected(Duration silence) {
                // Only the ear's connection matters.
            }

            @Override
            public void received(String payload) {
                throw new IllegalArgumentException(payload);
            }
        });
        notifications.subscribe("one", ear);
        notifications.start();
        next(ear.connected);
        tell("bad", "x");
        next(ear.connected);
        tell("one", "still here");
        assertThat(next(ear.received)).isEqualTo("still here");
    }

    @Test
    void while_the_server_refuses_it_is_unhealthy_and_then_recovers() throws Exception {
        var ear = new Ear();
        var notifications = listening("one", ear);
        var database = settings.service().url().replaceFirst(".*/", "");
        // The service's login gets no new connection; the test's own, a superuser's, goes on.
        connection.createStatement().execute("alter database " + database + " connection limit 0");
        terminate();
        await().atMost(LONGEST).until(() -> !notifications.healthy());
        assertThat(notifications.reconnects()).isZero();
        connection.createStatement().execute("alter database " + database + " connection limit -1");
        next(ear.connected);
        assertThat(notifications.healthy()).isTrue();
    }

    @Test
    void in_poll_mode_it_is_healthy_and_opens_no_connection() throws Exception {
        var silent = new Ear();
        var polling = notifications(false);
        polling.subscribe("one", silent);
        polling.start();
        assertThat(polling.healthy()).isTrue();
        // Another one that starts later and has heard something by now: the first would have been there before.
        var ear = new Ear();
        listening("one", ear);
        tell("one", "");
        next(ear.received);
        assertThat(sessions()).hasSize(1);
        assertThat(silent.connected).isEmpty();
        assertThat(silent.received).isEmpty();
    }

    @Test
    void closing_ends_the_session_and_may_be_repeated() throws Exception {
        var notifications = listening("one", new Ear());
        notifications.close();
        notifications.close();
        await().atMost(LONGEST).until(() -> sessions().isEmpty() && !notifications.healthy());
        assertThat(notifications.reconnects()).isZero();
    }

    @Test
    void closing_what_never_started_is_safe() throws Exception {
        notifications(true).close();
        assertThat(sessions()).isEmpty();
    }
}
