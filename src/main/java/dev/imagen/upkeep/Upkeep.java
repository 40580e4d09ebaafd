package dev.imagen.upkeep;

import dev.imagen.config.Settings.Retention;
import dev.imagen.database.Database;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.ImageStores;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Removes what is done with, one process of all at a time: finished jobs and images by age, the bytes of deleted
 * images, files of attempts that left no image. Its thread has nothing to do with the worker's loop, and it works on
 * the pool that requests use, a connection for one batch at a time: the worker's few connections are for claims,
 * heartbeats and records, which never wait for a batch.
 */
public final class Upkeep implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(Upkeep.class.getName());

    /** When the database did not say when the next round is due. */
    private static final Duration RETRY = Duration.ofMinutes(1);

    /** How long a stop waits for the batch under way. */
    static final Duration LAST_BATCH = Duration.ofSeconds(10);

    private final UpkeepLease lease;
    private final List<Chore> chores;
    private final CountDownLatch stopping = new CountDownLatch(1);
    private volatile Thread thread;

    Upkeep(UpkeepLease lease, List<Chore> chores) {
        this.lease = lease;
        this.chores = chores;
    }

    /** @param stores where images of this database are kept, and were before */
    public static Upkeep of(Database database, ImageStores stores, Retention retention) {
        var chores = new ArrayList<Chore>();
        retention.jobs().ifPresent(age -> chores.add(OldRows.jobs(database, age)));
        retention.images().ifPresent(age -> chores.add(OldRows.images(database, age)));
        // Last, for a store may be slow to say that it does not answer.
        chores.add(new ForeignImages(database, stores.all().stream().map(ImageStore::bucket).toList()));
        stores.all()
                .forEach(store -> chores.add(new FileRemoval<>("deleted images", new DeletedImages(database, store))));
        chores.add(new FileRemoval<>("attempts without an image", new EndedAttempts(database, stores.all())));
        return new Upkeep(new UpkeepLease(database, retention.every()), chores);
    }

    /** Begins with the first round that is due; the database need not answer yet. */
    public void start() {
        thread = Thread.ofVirtual().name("imagen-upkeep").start(this::workUntilClosed);
    }

    private void workUntilClosed() {
        try {
            Duration sleep;
            do {
                sleep = turn();
            } while (!stopping.await(sleep.toNanos(), TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Does a round if one is due and nobody else is at it. @return how long to sleep */
    Duration turn() {
        try {
            if (lease.take()) {
                round();
            }
            return lease.untilDue();
        } catch (RuntimeException | Error e) {
            warn("upkeep got no answer, it goes on in " + RETRY, e);
            return RETRY;
        }
    }

    private void round() {
        for (Chore chore : chores) {
            if (goOn()) {
                run(chore);
            }
        }
        if (stopping()) {
            lease.release();
        } else {
            lease.finish();
        }
    }

    private boolean goOn() {
        return !stopping() && lease.renew();
    }

    private void run(Chore chore) {
        try {
            chore.run(this::goOn);
        } catch (RuntimeException | Error e) {
            warn("upkeep of " + chore.name() + " broke off, the next round goes on", e);
        }
    }

    /** What a stop breaks off is no failure. */
    private void warn(String what, Throwable e) {
        LOG.log(stopping() ? Level.DEBUG : Level.WARNING, "{0}: {1}", what, e.toString());
    }

    private boolean stopping() {
        return stopping.getCount() == 0;
    }

    /** Stops after the batch under way, and lets another process go on. A second call does nothing. */
    @Override
    public void close() {
        stopping.countDown();
        try {
            if (thread != null) {
                thread.join(LAST_BATCH);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
