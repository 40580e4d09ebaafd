package dev.imagen.worker;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** A sleep that a signal ends; a signal that comes before the sleep is not lost, and many are one. */
final class Wakeup {

    private final Semaphore signals = new Semaphore(0);

    void signal() {
        // More permits than one would only make the next sleeps short.
        if (signals.availablePermits() == 0) {
            signals.release();
        }
    }

    /** Forgets signals that what follows will see anyway. */
    void clear() {
        signals.drainPermits();
    }

    void await(Duration longest) throws InterruptedException {
        signals.tryAcquire(longest.toNanos(), TimeUnit.NANOSECONDS);
    }
}
