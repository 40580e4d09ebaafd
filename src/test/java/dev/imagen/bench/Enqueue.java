package dev.imagen.bench;

import java.io.IOException;
import java.io.StringReader;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.postgresql.PGConnection;

/** Jobs that go into the queue, a second, while no worker takes them out. */
final class Enqueue {

    private static final UUID OWNER = UUID.fromString("00000000-0000-4000-8000-000000000001");
    private static final int WARM_UP = 400;
    /** The compilers are done with it then. */
    private static final int POST_WARM_UP = 50_000;
    private static final int GET_WARM_UP = 10_000;

    private final BenchDatabase database;

    Enqueue(BenchDatabase database) {
        this.database = database;
    }

    /** What one client does, a number of times. */
    interface Client {
        void send(int jobs) throws Exception;
    }

    /** One job in a transaction. */
    void single(int jobs, int clients) throws Exception {
        rate(WARM_UP, clients, this::insertOneByOne);
        Sample.of("enqueue_single_" + clients + "conn", rate(jobs, clients, this::insertOneByOne), "jobs/s", "")
                .print();
    }

    /** Without the trigger that counts and notifies: what it costs is the difference. */
    void silent(int jobs, int clients) throws Exception {
        database.execute("alter table imagen.jobs disable trigger jobs_after_insert");
        rate(WARM_UP, clients, this::insertOneByOne);
        Sample.of("enqueue_silent_" + clients + "conn", rate(jobs, clients, this::insertOneByOne), "jobs/s", "")
                .print();
    }

    private void insertOneByOne(int jobs) throws SQLException {
        try (var connection = database.open("");
                var insert = connection.prepareStatement(
                        "insert into imagen.jobs (owner_user_id, prompt) values (?, 'a quiet bay')")) {
            for (int i = 0; i < jobs; i++) {
                insert.setObject(1, OWNER);
                insert.execute();
            }
        }
    }

    /** All in one statement. */
    void bulk(int jobs, boolean quiet) throws SQLException {
        long begin = System.nanoTime();
        try (var connection = database.open(""); var insert = connection.prepareStatement("""
                insert into imagen.jobs (owner_user_id, prompt) select ?, 'a quiet bay' from generate_series(1, ?)
                """)) {
            insert.setObject(1, OWNER);
            insert.setInt(2, jobs);
            insert.execute();
        }
        if (!quiet) {
            Sample.of("enqueue_bulk", jobs * 1e9 / (System.nanoTime() - begin), "jobs/s", "").print();
        }
    }

    /** All by one COPY. */
    void copy(int jobs) throws SQLException, IOException {
        var rows = new StringBuilder();
        IntStream.range(0, jobs).forEach(_ -> rows.append(OWNER).append("\ta quiet bay\n"));
        long begin = System.nanoTime();
        try (var connection = database.open("")) {
            connection.unwrap(PGConnection.class).getCopyAPI()
                    .copyIn("copy imagen.jobs (owner_user_id, prompt) from stdin", new StringReader(rows.toString()));
        }
        Sample.of("enqueue_copy", jobs * 1e9 / (System.nanoTime() - begin), "jobs/s", "").print();
    }

    /** {@code POST /jobs}, then {@code GET /jobs/{id}} of a job that waits, by connections that are kept. */
    void rest(int jobs, int clients) throws Exception {
        try (var system = BenchSystem.start(database.settings(Map.of()), database.service(), database.owner(),
                Optional.empty())) {
            Client post = share -> {
                try (var http = new RawHttp(system.port())) {
                    for (int i = 0; i < share; i++) {
                        http.postJob();
                    }
                }
            };
            rate(POST_WARM_UP, clients, post);
            Sample.of("post_" + clients + "conn", rate(jobs, clients, post), "jobs/s", "").print();
            try (var http = new RawHttp(system.port())) {
                get(http, GET_WARM_UP);
                var times = Percentiles.ofNanos(get(http, jobs));
                Sample.of("get_p50", times.at(50), "ms", "").print();
                Sample.of("get_p99", times.at(99), "ms", "").print();
            }
        }
    }

    private static long[] get(RawHttp http, int times) throws IOException {
        var path = http.postJob();
        var nanos = new long[times];
        for (int i = 0; i < times; i++) {
            long begin = System.nanoTime();
            http.send("GET", path, "");
            nanos[i] = System.nanoTime() - begin;
        }
        return nanos;
    }

    /** Shares a second of what the clients do together, each its part. */
    static double rate(int jobs, int clients, Client client) throws Exception {
        long begin = System.nanoTime();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> sent = new ArrayList<>();
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
