package dev.imagen.api;

import java.time.Duration;

/**
 * Ends what waits for a client for too long. The thread is interrupted, and a virtual thread that is interrupted while
 * it reads or writes a socket closes it: there is no other way to end a write.
 */
final class TimeLimit {

    private TimeLimit() {}

    /**
     * Runs something that blocks, on a virtual thread.
     *
     * @return whether it ended in time, by itself or by an exception of its own
     */
    static boolean within(Duration limit, Runnable blocking) {
        var interrupt = new Interrupt(Thread.currentThread());
        try (var _ = Alarms.after(limit, interrupt)) {
            blocking.run();
        } catch (RuntimeException e) {
            if (!interrupt.rang()) {
                throw e;
            }
        } finally {
            interrupt.end();
        }
        return !interrupt.rang();
    }

    /** Interrupts a thread, but never when that is about something else already. */
    private static final class Interrupt implements Runnable {

        private final Thread thread;
        private boolean ended;
        private boolean rang;

        private Interrupt(Thread thread) {
            this.thread = thread;
        }

        @Override
        public synchronized void run() {
            if (!ended && !rang) {
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
