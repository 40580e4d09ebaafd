package dev.imagen.bench;

import dev.imagen.config.Login;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.UUID;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import org.postgresql.PGConnection;

/** The least that a queue of this kind can do: hear the notification, claim one row. */
final class FloorLoop {

    private static final String CLAIM = """
            update floor_jobs set status = 'running', started_at = now()
             where id = (select id from floor_jobs where status = 'pending' order by id limit 1 for update skip locked)
            returning id
            """;

    private static final String LISTENER = "&socketFactory=dev.imagen.database.ListenerSocketFactory";

    private static final int WARM_UP = 50;

    private final Login login;
    private final int gapMillis;

    FloorLoop(Login login, int gapMillis) {
        this.login = login;
        this.gapMillis = gapMillis;
    }

    static void print(BenchDatabase database, int jobs, int gapMillis) throws SQLException, InterruptedException {
        var floor = new FloorLoop(database.owner(), gapMillis).measure(WARM_UP, jobs);
        for (int percent : new int[]{50, 99}) {
            Sample.of("floor_p" + percent, floor.at(percent), "ms", "").print();
        }
    }

    Percentiles measure(int warmUp, int jobs) throws SQLException, InterruptedException {
        try (var client = open(""); var listener = open(LISTENER); var claimer = open("")) {
            prepare(client, listener);
            var claims = new SynchronousQueue<Long>();
            var loop = Thread.ofVirtual().start(() -> claimUntilClosed(listener, claimer, claims));
            var nanos = new long[jobs];
            try (var insert = client.prepareStatement("""
                    with i as (insert into floor_jobs (payload) values (?) returning id)
                    select pg_notify('floor', '') from i""")) {
                for (int i = -warmUp; i < jobs; i++) {
                    TimeUnit.MILLISECONDS.sleep(gapMillis);
                    insert.setString(1, UUID.randomUUID().toString());
                    insert.execute();
                    long committed = System.nanoTime();
                    long took = claims.take() - committed;
                    if (i >= 0) {
                        nanos[i] = took;
                    }
                }
            }
            loop.interrupt();
            return Percentiles.ofNanos(nanos);
        }
    }

    private static void prepare(Connection client, Connection listener) throws SQLException {
        try (var statement = client.createStatement()) {
            statement.execute("create table floor_jobs (id bigint generated always as identity primary key,"
                    + " payload text, status text not null default 'pending', started_at timestamptz)");
            statement.execute("create index on floor_jobs (id) where status = 'pending'");
        }
        try (var statement = listener.createStatement()) {
            statement.execute("listen floor");
        }
    }

    private static void claimUntilClosed(Connection listener, Connection claimer, SynchronousQueue<Long> claims) {
        try (var claim = claimer.prepareStatement(CLAIM)) {
            var postgres = listener.unwrap(PGConnection.class);
            while (!Thread.currentThread().isInterrupted()) {
                postgres.getNotifications(10_000);
                try (var result = claim.executeQuery()) {
                    if (result.next()) {
                        claims.put(System.nanoTime());
                    }
                }
            }
        } catch (SQLException | InterruptedException e) {
            // Closed: the measurement is over.
        }
    }

    private Connection open(String options) throws SQLException {
        return DriverManager.getConnection(login.url() + "?prepareThreshold=1" + options, login.username(),
                login.password());
    }
}
