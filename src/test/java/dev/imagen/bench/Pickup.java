package dev.imagen.bench;

import dev.imagen.job.Job;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * From an INSERT by SQL, its call and its return (the commit), to the start of the attempt; one job at a time while the
 * worker is idle. Warm after 50 jobs; then three seconds of nothing, in which idle processor time is taken.
 */
final class Pickup {

    private static final int WARM_UP = 50;
    private static final int IDLE_SECONDS = 3;
    private static final String INSERT = """
            insert into imagen.jobs (id, owner_user_id, prompt, priority) values (?, ?, 'a quiet bay', ?)
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
                Optional.of(new InstantPipeline(this::started)))) {
            system.startWorker();
            var owner = system.owner();
            rounds(owner, WARM_UP);
            var before = ProcessorTime.now();
            TimeUnit.SECONDS.sleep(IDLE_SECONDS);
            var idle = ProcessorTime.now();
            Sample.of("idle_worker_cpu", (idle.own() - before.own()) * 1000 / IDLE_SECONDS, "ms/s", variant).print();
            Sample.of("idle_pg_cpu", (idle.server() - before.server()) * 1000 / IDLE_SECONDS, "ms/s", variant).print();
            var times = rounds(owner, jobs);
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

    private long[][] rounds(UUID owner, int jobs) throws Exception {
        var times = new long[2][jobs];
        try (var connection = database.open(""); var insert = connection.prepareStatement(INSERT)) {
            for (int i = 0; i < jobs; i++) {
                TimeUnit.MILLISECONDS.sleep(gapMillis);
                var id = UUID.randomUUID();
                insert.setObject(1, id);
                insert.setObject(2, owner);
                insert.setInt(3, 1);
                long called = System.nanoTime();
                insert.execute();
                long committed = System.nanoTime();
                long at = awaitStart(id);
                times[0][i] = at - called;
                times[1][i] = at - committed;
            }
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
