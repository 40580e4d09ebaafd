package dev.imagen.observe;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * What gauges show of the database: read at most once in a few seconds, and only when somebody asks. Nobody waits long
 * for a database that is away: Prometheus gives a scrape ten seconds, and then would know nothing of this process.
 */
final class Scraped<T> {

    private static final System.Logger LOG = System.getLogger(Scraped.class.getName());
    private static final Duration FRESH = Duration.ofSeconds(5);

    private final Supplier<T> read;
    private final Duration longest;
    private CompletableFuture<T> reading;
    private T last;
    private boolean answered;
    private long readNanos = System.nanoTime() - FRESH.toNanos();

    /**
     * @param read one statement; may throw DatabaseException
     * @param longest how long it is waited for; what comes later is shown the next time
     * @param unknown what is shown until it has answered once
     */
    Scraped(Supplier<T> read, Duration longest, T unknown) {
        this.read = read;
        this.longest = longest;
        this.last = unknown;
    }

    /** The last known value where the database does not answer. */
    synchronized T now() {
        if (System.nanoTime() - readNanos >= FRESH.toNanos()) {
            answered = read();
            // After the wait for an answer: the next gauge of the same scrape does not wait again.
            readNanos = System.nanoTime();
        }
        return last;
    }

    /** Whether the last read was answered in time. */
    synchronized boolean answered() {
        now();
        return answered;
    }

    private boolean read() {
        if (reading == null) {
            reading = CompletableFuture.supplyAsync(read, Thread::startVirtualThread);
        }
        try {
            last = reading.get(longest.toMillis(), TimeUnit.MILLISECONDS);
            reading = null;
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            LOG.log(Level.DEBUG, "what the gauges show could not be read", e);
            reading = null;
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
