package dev.imagen.bench;

import dev.imagen.database.Database;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.queue.PostgresJobQueue;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * What a notification costs the server for each process that hears it and finds nothing: a claim, and the question when
 * the next job is due.
 */
record IdleLooks(BenchDatabase database) {

    private static final List<Offer> OFFERS = List.of(new Offer("mock", 1, Optional.empty()));
    private static final int WARM_UP = 1000;

    void measure(int looks, int connections) throws Exception {
        var worker = new WorkerIdentity(UUID.randomUUID(), "looks", List.of("mock"));
        var settings = database.settings(Map.of());
        try (var pool = new Database(settings.database().at(database.service(), database.owner()))) {
            var queue = new PostgresJobQueue(pool, settings.worker());
            queue.register(worker);
            Enqueue.Client look = share -> {
                for (int i = 0; i < share; i++) {
                    queue.claim(worker, OFFERS, 1);
                    queue.untilNextDue(worker, OFFERS);
                }
            };
            Enqueue.rate(WARM_UP, connections, look);
            Sample.of("looks_" + connections + "conn", Enqueue.rate(looks, connections, look), "looks/s", "").print();
        }
    }
}
