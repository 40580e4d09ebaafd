package dev.imagen.observe;

import dev.imagen.database.Database;
import java.lang.System.Logger.Level;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Writes once a minute how deep the queue is, for charts. Every process asks; the one that comes first writes, by the
 * database's clock.
 */
public final class QueueSampler implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(QueueSampler.class.getName());

    private static final long EVERY_SECONDS = 60;

    /**
     * The update is the turn: of two at once, the second waits for the row, looks at it again and changes nothing. A
     * little less than a minute, so that a process that comes a moment earlier than the last time leaves no gap. Who
     * has no turn does not count the queue.
     */
    static final String SAMPLE = """
            with turn as (
                update imagen.upkeep set last_sample_at = now() where last_sample_at <= now() - interval '55 seconds'
                returning last_sample_at
            ), old as (
                delete from imagen.queue_samples
                 where taken_at < (select last_sample_at - interval '7 days' from turn)
            )
            insert into imagen.queue_samples (taken_at, backend, pending, running, oldest_seconds)
            select last_sample_at, (depth).backend, (depth).pending, (depth).running, (depth).oldest_seconds
              from (select last_sample_at, imagen.queue_depths() as depth from turn) as taken
            """;

    private final Database database;
    private final CountDownLatch stopping = new CountDownLatch(1);

    /** @param database the pool of requests: the worker's few connections are for its jobs */
    public QueueSampler(Database database) {
        this.database = database;
    }

    /** Begins at once; the database need not answer yet. */
    public void start() {
        Thread.ofVirtual().name("imagen-samples").start(this::sampleUntilClosed);
    }

    private void sampleUntilClosed() {
        try {
            do {
                sample();
            } while (!stopping.await(EVERY_SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    void sample() {
        try {
            database.update(SAMPLE);
        } catch (RuntimeException | Error e) {
            LOG.log(stopping.getCount() == 0 ? Level.DEBUG : Level.WARNING,
                    "no sample of the queue''s depth, the next one is in a minute: {0}", e.toString());
        }
    }

    /** A second call does nothing. */
    @Override
    public void close() {
        stopping.countDown();
    }
}
