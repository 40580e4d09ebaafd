package dev.imagen.storage;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Asks a remote store again when it may answer otherwise a moment later: a few times within seconds, for what is still
 * refused then is the queue's to try again. An interrupt ends it at once.
 *
 * @param tries calls in all
 * @param first the most that the first wait takes; it doubles from one to the next
 * @param longest a store that asks for more than this is not waited for
 */
record Retries(int tries, Duration first, Duration longest) {

    /** Over in a little more than a second, but for a store that says how long to wait. */
    static final Retries USUAL = new Retries(4, Duration.ofMillis(200), Duration.ofSeconds(10));

    /** For a caller who waits: one answer, whatever it is. */
    static final Retries NONE = new Retries(1, Duration.ZERO, Duration.ZERO);

    /** One call of a store. */
    @FunctionalInterface
    interface Call<T> {
        T run() throws IOException, InterruptedException;
    }

    <T> T run(Call<T> call) throws IOException {
        try {
            for (int made = 1;; made++) {
                try {
                    return call.run();
                } catch (StoreException e) {
                    var wait = e.retryAfter().orElse(backoff(made));
                    if (!e.retryable() || made == tries || wait.compareTo(longest) > 0) {
                        throw e;
                    }
                    // A store tells nobody when it is well again.
                    Thread.sleep(wait);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (InterruptedIOException) new InterruptedIOException("interrupted").initCause(e);
        }
    }

    private Duration backoff(int made) {
        long most = first.toMillis() << (made - 1);
        return Duration.ofMillis(ThreadLocalRandom.current().nextLong(most / 2, most + 1));
    }

    /** Whether an HTTP status may be another a moment later. */
    static boolean transientStatus(int status) {
        return switch (status) {
            // 409 and 423: somebody else is just writing the same key.
            case 408, 409, 423, 425, 429 -> true;
            default -> status >= 500;
        };
    }
}
