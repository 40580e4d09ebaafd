package dev.imagen.bench;

import dev.imagen.config.WorkerSettings;
import dev.imagen.database.Database;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.queue.PostgresJobQueue;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What a notification costs the server for each process that hears it and finds nothing: a claim, and the question when
 * the next job is due.
 */
final class IdleLooks {

    private static final List<Offer> OFFERS = List.of(new Offer("mock", 1, Optional.empty()));

    private final BenchSystem system;
    private final WorkerSettings settings;

    IdleLooks(BenchSystem system, WorkerSettings settings) {
        this.system = system;
        this.settings = settings;
    }

    /** Looks a second. */
    double measure(int looks, int connections) throws Exception {
        var worker = new WorkerIdentity(UUID.randomUUID(), "looks", List.of("mock"));
        try (var database = new Database(system.databaseSettings())) {
            var queue = new PostgresJobQueue(database, settings);
            queue.register(worker);
            return EnqueueRates.rate(looks, connections, share -> {
                for (int i = 0; i < share; i++) {
                    queue.claim(worker, OFFERS, 1);
                    queue.untilNextDue(worker, OFFERS);
                }
            });
        }
    }
}
