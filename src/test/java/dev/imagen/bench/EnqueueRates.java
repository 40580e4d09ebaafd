package dev.imagen.bench;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Jobs that are put into the queue, a second, by clients that each wait for their answer. */
final class EnqueueRates {

    private static final String INSERT = """
            insert into imagen.jobs (owner_user_id, prompt)
            select ?::uuid, 'a quiet bay' from generate_series(1, ?)
            """;

    private final BenchSystem system;

    EnqueueRates(BenchSystem system) {
        this.system = system;
    }

    double insertOneByOne(int jobs, int clients) throws Exception {
        return rate(jobs, clients, share -> insert(share, 1));
    }

    /** Without the trigger that counts and notifies: what it costs is the difference. */
    double insertSilently(int jobs, int clients) throws Exception {
        execute("alter table imagen.jobs disable trigger jobs_after_insert");
        try {
            return insertOneByOne(jobs, clients);
        } finally {
            execute("alter table imagen.jobs enable trigger jobs_after_insert");
        }
    }

    double insertTogether(int jobs, int inOne) throws Exception {
        return rate(jobs, 1, share -> insert(share, inOne));
    }

    double post(int jobs, int clients) throws Exception {
        return rate(jobs, clients, share -> {
            var client = new PostClient(system.port());
            for (int i = 0; i < share; i++) {
                client.post();
            }
        });
    }

    /** So that the next measurement finds an empty queue. */
    void clear() throws SQLException {
        execute("delete from imagen.jobs");
    }

    private void insert(int jobs, int inOne) throws SQLException {
        try (Connection connection = owner(); var statement = connection.prepareStatement(INSERT)) {
            for (int i = 0; i < jobs; i += inOne) {
                statement.setObject(1, system.owner());
                statement.setInt(2, inOne);
                statement.execute();
            }
        }
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = owner(); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private Connection owner() throws SQLException {
        var login = system.databaseSettings().owner();
        return DriverManager.getConnection(login.url() + "?prepareThreshold=1", login.username(), login.password());
    }

    /** What one client does. */
    interface Client {
        void send(int share) throws Exception;
    }

    /** Shares a second of what the clients do together, each its part. */
    static double rate(int jobs, int clients, Client client) throws Exception {
        long begin = System.nanoTime();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var sent = new ArrayList<Future<?>>();
            for (int i = 0; i < clients; i++) {
                sent.add(threads.submit(() -> {
                    client.send(jobs / clients);
                    return null;
                }));
            }
            for (var each : sent) {
                each.get();
            }
        }
        return jobs * 1e9 / (System.nanoTime() - begin);
    }
}
