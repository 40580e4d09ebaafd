package dev.imagen.job;

import java.time.Duration;
import java.util.Optional;

/**
 * An attempt that did not give an image. The message is written to the job's {@code error} and read by a person, so it
 * says what went wrong and, where one can, what to change; it never holds a secret.
 */
public final class JobFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final boolean retryable;
    private final transient Duration retryAfter;

    private JobFailedException(String message, boolean retryable, Duration retryAfter, Throwable cause) {
        super(message, cause);
        this.retryable = retryable;
        this.retryAfter = retryAfter;
    }

    /** A failure that every further attempt would meet again: bad parameters, moderation, an unknown style. */
    public static JobFailedException permanent(String message) {
        return new JobFailedException(message, false, null, null);
    }

    /** A failure that may be gone at the next attempt: the network, a busy or restarting server, a full disk. */
    public static JobFailedException temporary(String message, Throwable cause) {
        return new JobFailedException(message, true, null, cause);
    }

    /** A temporary failure that no exception caused. */
    public static JobFailedException temporary(String message) {
        return new JobFailedException(message, true, null, null);
    }

    /** A temporary failure whose server said how long to wait ({@code Retry-After}). */
    public static JobFailedException temporary(String message, Duration retryAfter) {
        return new JobFailedException(message, true, retryAfter, null);
    }

    /** The same in other words. */
    public JobFailedException saying(String message) {
        return new JobFailedException(message, retryable, retryAfter, getCause());
    }

    /** Whether another attempt may succeed. */
    public boolean retryable() {
        return retryable;
    }

    /** The least wait that the server asked for. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
