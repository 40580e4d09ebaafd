package dev.imagen.chaos;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Inserts jobs so that work never runs out, until it is told that they are enough. */
final class Feeder implements AutoCloseable {

    private static final int WAITING = 100;
    private static final long LOOK_MILLIS = 50;
    private static final Duration LONGEST = Duration.ofMinutes(5);

    private final Jobs jobs;
    private final int least;
    private final CountDownLatch enough = new CountDownLatch(1);
    private final Thread feeding;
    private volatile int inserted;

    private Feeder(Jobs jobs, int least) {
        this.jobs = jobs;
        this.least = least;
        this.feeding = Thread.ofVirtual().name("feeder").unstarted(this::feedUntilEnough);
    }

    /** Begins. @param least so many it inserts in any case */
    static Feeder start(Jobs jobs, int least) {
        var feeder = new Feeder(jobs, least);
        feeder.feeding.start();
        return feeder;
    }

    /** Nothing more is going to happen: inserts what is missing to the least, and ends. */
    void enough() throws InterruptedException {
        enough.countDown();
        if (!feeding.join(LONGEST)) {
            throw new AssertionError(inserted + " jobs were fed instead of " + least);
        }
    }

    private void feedUntilEnough() {
        try {
            while (!enough.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
                feed(Integer.MAX_VALUE);
            }
            while (inserted < least && !Thread.interrupted()) {
                feed(least - inserted);
                TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void feed(int most) {
        try {
            int missing = (int) Math.min(most, WAITING - jobs.count("status = 'pending'"));
            if (missing > 0) {
                jobs.insert(missing);
                inserted += missing;
            }
        } catch (SQLException e) {
            // The server is away; an insert whose answer was lost makes some jobs more, which hurts nobody.
        }
    }

    @Override
    public void close() {
        feeding.interrupt();
    }
}
