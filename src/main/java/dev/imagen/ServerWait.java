package dev.imagen;

import dev.imagen.config.Login;
import dev.imagen.database.DatabaseException;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * Patience with a database server that is not there yet: in a cluster it may be started together with what needs it.
 *
 * @param longest from the first try
 * @param pause between two tries
 */
record ServerWait(Duration longest, Duration pause) {

    static final ServerWait MINUTES = new ServerWait(Duration.ofMinutes(2), Duration.ofSeconds(1));

    /**
     * Does it again as long as the server is away, and says once that it waits.
     *
     * @throws DatabaseException the last one, when the time is over or when it is of another kind
     */
    <T> T patiently(Login login, Supplier<T> work) {
        long began = System.nanoTime();
        for (boolean said = false;; said = true) {
            try {
                return work.get();
            } catch (DatabaseException e) {
                if (!e.lost() || System.nanoTime() - began > longest.toNanos() || interrupted()) {
                    throw e;
                }
                if (!said) {
                    System.err.println("imagen: waits up to " + longest.toSeconds() + " s for the database " + login
                            + ": " + e.getMessage());
                }
            }
        }
    }

    /** A server that is away tells nobody when it is back: it has to be asked. */
    private boolean interrupted() {
        try {
            Thread.sleep(pause);
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }
}
