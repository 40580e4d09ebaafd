package dev.imagen.storage;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * What a remote store answered instead of doing what it was asked to. The message goes into a job's {@code error}: it
 * names the setting to look at where one can help, and never holds a secret.
 */
public final class StoreException extends IOException {

    private static final long serialVersionUID = 1L;

    private final boolean retryable;
    private final transient Duration retryAfter;

    private StoreException(String message, boolean retryable, Duration retryAfter, Throwable cause) {
        super(message, cause);
        this.retryable = retryable;
        this.retryAfter = retryAfter;
    }

    /** The store would say the same to every repetition. */
    static StoreException permanent(String message) {
        return new StoreException(message, false, null, null);
    }

    /** No answer, or one that may be another a moment later. */
    static StoreException temporary(String message, Throwable cause) {
        return new StoreException(message, true, null, cause);
    }

    /** The same from a store that may have said how long to wait. */
    static StoreException temporary(String message, Optional<Duration> retryAfter) {
        return new StoreException(message, true, retryAfter.orElse(null), null);
    }

    /** Whether the same call may succeed later. */
    public boolean retryable() {
        return retryable;
    }

    /** The least wait that the store asked for. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
