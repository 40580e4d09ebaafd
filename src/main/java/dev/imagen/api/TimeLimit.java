package dev.imagen.api;

import java.time.Duration;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Ends what waits for a client for too long. The thread is interrupted, and a virtual thread that is interrupted while
 * it reads or writes a socket closes it: there is no other way to end a write.
 */
final class TimeLimit {

    private static final ScheduledThreadPoolExecutor TIMER = timer();

    private TimeLimit() {}

    private static ScheduledThreadPoolExecutor timer() {
        var timer = new ScheduledThreadPoolExecutor(1,
                Thread.ofPlatform().daemon().name("imagen-slow-clients").factory());
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    /**
     * Runs something that blocks, on a virtual thread.
     *
     * @return whether it ended in time, by itself or by an exception of its own
     */
    static boolean within(Duration limit, Runnable blocking) {
        var alarm = new Alarm(Thread.currentThread());
        var scheduled = TIMER.schedule(alarm, Math.max(0, limit.toNanos()), TimeUnit.NANOSECONDS);
        try {
            blocking.run();
        } catch (RuntimeException e) {
            if (!alarm.rang()) {
                throw e;
            }
        } finally {
            scheduled.cancel(false);
            alarm.end();
        }
        return !alarm.rang();
    }

    /** Interrupts a thread, but never when that is about something else already. */
    private static final class Alarm implements Runnable {

        private final Thread thread;
        private boolean ended;
        private boolean rang;

        private Alarm(Thread thread) {
            this.thread = thread;
        }

        @Override
        public synchronized void run() {
            if (!ended) {
                rang = true;
                thread.interrupt();
            }
        }

        private synchronized void end() {
            ended = true;
            if (rang) {
                Thread.interrupted();
            }
        }

        private synchronized boolean rang() {
            return rang;
        }
    }
}
