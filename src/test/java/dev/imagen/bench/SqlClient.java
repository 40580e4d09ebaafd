package dev.imagen.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** Inserts by SQL, and watches by a LISTEN connection of its own. */
final class SqlClient {

    private static final String LISTENER = "&socketFactory=dev.imagen.database.ListenerSocketFactory";

    private final BenchSystem system;

    SqlClient(BenchSystem system) {
        this.system = system;
    }

    record Latencies(Percentiles pickup, Percentiles done) {}

    Latencies measure(int jobs) throws SQLException, InterruptedException {
        var pickup = new long[jobs];
        var done = new long[jobs];
        try (var client = open(""); var watcher = open(LISTENER)) {
            try (var statement = watcher.createStatement()) {
                statement.execute("listen imagen_job_events");
            }
            for (int i = 0; i < jobs; i++) {
                LatencyBenchmark.gap();
                var id = UUID.randomUUID();
                insert(client, id);
                long committed = System.nanoTime();
                done[i] = awaitDone(watcher, id) - committed;
                pickup[i] = system.claimedAt(id) - committed;
            }
        }
        return new Latencies(Percentiles.ofNanos(pickup), Percentiles.ofNanos(done));
    }

    private void insert(Connection client, UUID id) throws SQLException {
        try (var statement = client
                .prepareStatement("insert into imagen.jobs (id, owner_user_id, prompt) values (?, ?, 'a quiet bay')")) {
            statement.setObject(1, id);
            statement.setObject(2, system.owner());
            statement.execute();
        }
    }

    /** Each event says that the row changed: inserted, claimed, done. */
    private static long awaitDone(Connection watcher, UUID id) throws SQLException {
        int events = 0;
        while (true) {
            PGNotification[] received = watcher.unwrap(PGConnection.class).getNotifications(10_000);
            long now = System.nanoTime();
            if (received == null || received.length == 0) {
                throw LatencyBenchmark.unexpected("no event for 10 s");
            }
            for (PGNotification notification : received) {
                if (notification.getParameter().contains(id.toString()) && ++events == 3) {
                    return now;
                }
            }
        }
    }

    private Connection open(String options) throws SQLException {
        var login = system.databaseSettings().service();
        return DriverManager.getConnection(login.url() + "?prepareThreshold=1" + options, login.username(),
                login.password());
    }
}
