package dev.imagen.observe;

import dev.imagen.database.DatabaseException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.function.Supplier;

/** What gauges show of the database: read at most once in a few seconds, and only when somebody asks. */
final class Scraped<T> {

    private static final System.Logger LOG = System.getLogger(Scraped.class.getName());
    private static final Duration FRESH = Duration.ofSeconds(5);

    private final Supplier<T> read;
    private T last;
    private long readNanos = System.nanoTime() - FRESH.toNanos();

    /**
     * @param read one statement; may throw DatabaseException
     * @param unknown what is shown until it has answered once
     */
    Scraped(Supplier<T> read, T unknown) {
        this.read = read;
        this.last = unknown;
    }

    /** The last known value where the database does not answer. */
    synchronized T now() {
        if (System.nanoTime() - readNanos >= FRESH.toNanos()) {
            try {
                last = read.get();
            } catch (DatabaseException e) {
                LOG.log(Level.DEBUG, "what the gauges show could not be read", e);
            } finally {
                // After the wait for an answer: the next gauge of the same scrape does not wait again.
                readNanos = System.nanoTime();
            }
        }
        return last;
    }
}
