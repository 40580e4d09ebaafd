package dev.imagen.worker;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A sleep that a signal ends; a signal that comes before the sleep is not lost, and many are one. */
final class Wakeup {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition signals = lock.newCondition();
    private boolean signalled;

    void signal() {
        lock.lock();
        try {
            signalled = true;
            signals.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Takes the signals that came until now; what is looked at afterwards sees what they were about. */
    boolean take() {
        lock.lock();
        try {
            boolean taken = signalled;
            signalled = false;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Sleeps until there is a signal to take, or this long. */
    void await(Duration longest) throws InterruptedException {
        lock.lock();
        try {
            long left = longest.toNanos();
            while (!signalled && left > 0) {
                left = signals.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }
}
