package dev.imagen.database;

import dev.imagen.config.DatabaseSettings;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/**
 * The process's one LISTEN connection. It is never in a transaction (an idle one would hold the server's notification
 * queue), asks the server from time to time whether it still listens, and comes back after every loss.
 */
public final class Notifications implements AutoCloseable {

    /** Hears one channel; called on the connection's own thread, so it hands work over and returns. */
    public interface Subscriber {

        /**
         * The channel is listened to, for the first time or again.
         *
         * @param silence how long notifications may have been missed
         */
        void connected(Duration silence);

        /** A notification. */
        void received(String payload);
    }

    private static final System.Logger LOG = System.getLogger(Notifications.class.getName());
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);
    private static final Duration FIRST_BACKOFF = Duration.ofMillis(50);
    private static final Duration LAST_BACKOFF = Duration.ofSeconds(2);

    private final DatabaseSettings settings;
    private final Map<String, Subscriber> subscribers = new ConcurrentHashMap<>();
    private final AtomicLong reconnects = new AtomicLong();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final CountDownLatch firstConnected = new CountDownLatch(1);
    private volatile Connection connection;
    private volatile boolean connected;
    private long aliveNanos = System.nanoTime();

    /** A connection to {@code settings.listener()}, opened by {@link #start}. */
    public Notifications(DatabaseSettings settings) {
        this.settings = settings;
    }

    /** Adds a channel; before {@link #start}. */
    public void subscribe(String channel, Subscriber subscriber) {
        subscribers.put(channel, subscriber);
    }

    /** Begins to listen, on a virtual thread. */
    public void start() {
        if (settings.listen()) {
            Thread.ofVirtual().name("imagen-listener").start(this::runUntilClosed);
        }
    }

    /** Whether notifications arrive now; always in poll-only mode, where nobody waits for any. */
    public boolean healthy() {
        return connected || !settings.listen();
    }

    /** Waits for the first connection. @return false when the time is up before */
    public boolean awaitHealthy(Duration longest) throws InterruptedException {
        return !settings.listen() || firstConnected.await(longest.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** How often the connection was made again. */
    public long reconnects() {
        return reconnects.get();
    }

    private void runUntilClosed() {
        Duration backoff = FIRST_BACKOFF;
        while (!closed()) {
            try (Connection opened = Connections.openListener(settings.listener())) {
                connection = opened;
                listen(opened);
                backoff = FIRST_BACKOFF;
                receiveUntilClosed(opened);
            } catch (SQLException | RuntimeException | Error e) {
                connected = false;
                if (!closed()) {
                    LOG.log(Level.WARNING, "the listener lost its connection and connects again: {0}", e.toString());
                    pause(backoff);
                    backoff = min(backoff.multipliedBy(2), LAST_BACKOFF);
                }
            }
        }
    }

    private void listen(Connection opened) throws SQLException {
        try (var statement = opened.createStatement()) {
            for (String channel : subscribers.keySet()) {
                statement.execute("listen " + channel);
            }
        }
        connected = true;
        if (firstConnected.getCount() == 0) {
            reconnects.incrementAndGet();
        }
        firstConnected.countDown();
        LOG.log(Level.DEBUG, "listening to {0}", subscribers.keySet());
        var silence = Duration.ofNanos(System.nanoTime() - aliveNanos);
        aliveNanos = System.nanoTime();
        subscribers.values().forEach(subscriber -> subscriber.connected(silence));
    }

    private void receiveUntilClosed(Connection opened) throws SQLException {
        var postgres = opened.unwrap(PGConnection.class);
        while (!closed()) {
            PGNotification[] received = postgres.getNotifications((int) KEEP_ALIVE.toMillis());
            if (received == null || received.length == 0) {
                checkStillListening(opened);
                aliveNanos = System.nanoTime();
                continue;
            }
            aliveNanos = System.nanoTime();
            for (PGNotification notification : received) {
                subscribers.get(notification.getName()).received(notification.getParameter());
            }
        }
    }

    /** Finds a half-open socket, and a session that a pooler swapped for another. */
    private void checkStillListening(Connection opened) throws SQLException {
        try (var statement = opened.createStatement();
                var result = statement.executeQuery("select count(*) from pg_listening_channels()")) {
            result.next();
            if (result.getInt(1) != subscribers.size()) {
                throw new SQLException("the session no longer listens: does db.listener.url lead through a pooler?");
            }
        }
    }

    /** Jitter keeps replicas from coming back all at the same moment. */
    private void pause(Duration backoff) {
        try {
            closing.await(ThreadLocalRandom.current().nextLong(backoff.toMillis() / 2, backoff.toMillis() + 1),
                    TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    private boolean closed() {
        return closing.getCount() == 0;
    }

    @Override
    public void close() {
        closing.countDown();
        var opened = connection;
        if (opened != null) {
            try {
                // Cuts the socket under the blocked read; close() would wait for it.
                opened.abort(Runnable::run);
            } catch (SQLException e) {
                LOG.log(Level.DEBUG, "closing the listener", e);
            }
        }
    }
}
