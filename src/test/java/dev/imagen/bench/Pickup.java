package dev.imagen.bench;

import dev.imagen.job.Job;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * From an INSERT by SQL or a POST /jobs, its call and its return, to the start of the attempt; one job at a time while
 * the worker is idle. An INSERT returns with the commit, a POST a little after it, when the job may have begun. Warm
 * after 50 jobs; then three seconds of nothing, in which idle processor time is taken.
 */
final class Pickup {

    private static final int WARM_UP = 50;
    private static final int IDLE_SECONDS = 3;
    private static final String INSERT = """
            insert into imagen.jobs (id, owner_user_id, prompt) values (?, ?, 'a quiet bay')
            """;

    private final BenchDatabase database;
    private final int gapMillis;
    private final Map<UUID, Long> started = new ConcurrentHashMap<>();

    Pickup(BenchDatabase database, int gapMillis) {
        this.database = database;
        this.gapMillis = gapMillis;
    }

    void measure(int jobs, String variant, Map<String, String> settings) throws Exception {
        try (var system = BenchSystem.start(database.settings(settings), database.service(), database.owner(),
                Optional.of(new InstantPipeline(this::started))); var sender = sender(variant, system)) {
            system.startWorker();
            rounds(sender, WARM_UP);
            var before = ProcessorTime.now();
            TimeUnit.SECONDS.sleep(IDLE_SECONDS);
            var idle = ProcessorTime.now();
            Sample.of("idle_worker_cpu", (idle.own() - before.own()) * 1000 / IDLE_SECONDS, "ms/s", variant).print();
            Sample.of("idle_pg_cpu", (idle.server() - before.server()) * 1000 / IDLE_SECONDS, "ms/s", variant).print();
            var times = rounds(sender, jobs);
            print("call", times[0], variant);
            print("commit", times[1], variant);
        }
    }

    private static void print(String since, long[] nanos, String variant) {
        var times = Percentiles.ofNanos(nanos);
        for (int percent : new int[]{50, 95, 99}) {
            Sample.of("pickup_from_" + since + "_p" + percent, times.at(percent), "ms", variant).print();
        }
    }

    private void started(Job job) {
        started.put(job.id(), System.nanoTime());
    }

    /** Puts one job into the queue, and returns when it is committed. */
    private interface Sender extends AutoCloseable {
        UUID send() throws IOException, SQLException;

        @Override
        void close() throws IOException, SQLException;
    }

    private Sender sender(String variant, BenchSystem system) throws IOException, SQLException {
        return switch (variant) {
            case "sql" -> new SqlSender(database.open(""), system.owner());
            case "post" -> new PostSender(new RawHttp(system.port()));
            default -> throw new IllegalArgumentException("a job is put in by sql or post, not by " + variant);
        };
    }

    private record SqlSender(Connection connection, UUID owner) implements Sender {
        @Override
        public UUID send() throws SQLException {
            try (var insert = connection.prepareStatement(INSERT)) {
                var id = UUID.randomUUID();
                insert.setObject(1, id);
                insert.setObject(2, owner);
                insert.execute();
                return id;
            }
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }
    }

    private record PostSender(RawHttp http) implements Sender {
        @Override
        public UUID send() throws IOException {
            return UUID.fromString(http.postJob().replaceFirst(".*/", ""));
        }

        @Override
        public void close() throws IOException {
            http.close();
        }
    }

    private long[][] rounds(Sender sender, int jobs) throws Exception {
        var times = new long[2][jobs];
        for (int i = 0; i < jobs; i++) {
            TimeUnit.MILLISECONDS.sleep(gapMillis);
            long called = System.nanoTime();
            var id = sender.send();
            long committed = System.nanoTime();
            long at = awaitStart(id);
            times[0][i] = at - called;
            times[1][i] = at - committed;
        }
        return times;
    }

    /** Looks from time to time, so that it takes no processor from what is measured. */
    private long awaitStart(UUID id) throws InterruptedException {
        while (!started.containsKey(id)) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        return started.remove(id);
    }
}
