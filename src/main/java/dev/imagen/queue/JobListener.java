package dev.imagen.queue;

import dev.imagen.database.Notifications;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/** Turns the queue's notifications into wake-ups and stop requests. */
public final class JobListener {

    private static final String JOBS = "imagen_jobs";
    private static final String CANCELS = "imagen_job_cancels";
    private static final int UUID_LENGTH = 36;

    private JobListener() {}

    /**
     * @param wake called when there may be jobs to claim, and after every reconnect; must not block
     * @param cancel called with ids of running jobs, anybody's, that may have been asked to stop: the rows know; must
     *     not block
     */
    public static void subscribe(Notifications notifications, Runnable wake, Consumer<Set<UUID>> cancel) {
        notifications.subscribe(JOBS, new Notifications.Subscriber() {
            @Override
            public void connected(Duration silence) {
                wake.run();
            }

            @Override
            public void received(String payload) {
                wake.run();
            }
        });
        notifications.subscribe(CANCELS, new Notifications.Subscriber() {
            @Override
            public void connected(Duration silence) {
                // The heartbeat finds what was missed.
            }

            @Override
            public void received(String payload) {
                cancel.accept(ids(payload));
            }
        });
    }

    /** The ids in a payload; whatever is no uuid is left out: any database user can notify. */
    public static Set<UUID> ids(String payload) {
        var ids = new HashSet<UUID>();
        for (String text : payload.split(",")) {
            if (text.length() == UUID_LENGTH) {
                id(text).ifPresent(ids::add);
            }
        }
        return ids;
    }

    /** No pattern: each change of each job comes here, whether anybody watches it or not. */
    private static Optional<UUID> id(String text) {
        try {
            // fromString also takes parts of other lengths, of which 36 characters need not be an id.
            return Optional.of(UUID.fromString(text)).filter(id -> id.toString().equalsIgnoreCase(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
