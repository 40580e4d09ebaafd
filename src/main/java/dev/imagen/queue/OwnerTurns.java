package dev.imagen.queue;

import dev.imagen.job.Job;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;

/**
 * Whose turn it is in the fair order: owners go round in the order of their ids, each process on a round of its own
 * from a random beginning. Kept in memory only: a round that begins anew treats nobody worse.
 */
final class OwnerTurns {

    private volatile UUID last = UUID.randomUUID();

    /** The owner that was served last. */
    UUID last() {
        return last;
    }

    /** Remembers whom a claim served: of the owners served, the farthest on the round. */
    void served(List<Job> claimed) {
        claimed.stream().map(Job::ownerUserId).max(onTheRound(last)).ifPresent(owner -> last = owner);
    }

    /** Those after {@code start} first. As text, because Java compares uuids as signed numbers, PostgreSQL as bytes. */
    private static Comparator<UUID> onTheRound(UUID start) {
        return Comparator.<UUID, Boolean>comparing(owner -> owner.toString().compareTo(start.toString()) <= 0)
                .thenComparing(UUID::toString);
    }
}
