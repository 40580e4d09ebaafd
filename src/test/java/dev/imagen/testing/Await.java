package dev.imagen.testing;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** Waits for what must come, long enough for the slowest machine. */
public final class Await {

    private static final long SECONDS = 60;

    private Await() {}

    /** The head of a queue. @param what names it where it does not come */
    public static <T> T next(BlockingQueue<T> queue, String what) {
        try {
            var next = queue.poll(SECONDS, TimeUnit.SECONDS);
            if (next == null) {
                throw new AssertionError(what + " did not come within " + SECONDS + " s");
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(what + " was no longer waited for", e);
        }
    }
}
