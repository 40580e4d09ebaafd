package dev.imagen.api;

import dev.imagen.database.Database;

/** What other processes offer. */
final class LiveWorkers {

    /** As old as any worker.lease allows; a job that slips through fails by worker.unknown. */
    private static final String OFFER = """
            select from imagen.workers where ? = any (backends) and heartbeat_at > now() - interval '10 minutes' limit 1
            """;

    private final Database database;

    LiveWorkers(Database database) {
        this.database = database;
    }

    /** Whether a live worker offers this backend. */
    boolean offer(String backend) {
        return database.one(OFFER, _ -> true, backend).isPresent();
    }
}
