package dev.imagen.job;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** How an attempt ended. Each carries its usage if it reached a backend. */
public sealed interface Outcome {

    /** What the attempt cost, if it reached a backend. */
    Optional<Usage> usage();

    /** As metrics and traces name it. */
    default String text() {
        return switch (this) {
            case Done _ -> "done";
            case Failed failed -> failed.retryable() ? "failed_retryable" : "failed";
            case Cancelled _ -> "cancelled";
            case HandedBack _ -> "handed_back";
        };
    }

    /** @param images at least one, in the order of their positions */
    record Done(List<NewImage> images, Optional<Usage> usage) implements Outcome {}

    /**
     * @param error for a person
     * @param retryable whether another attempt may succeed
     * @param retryAfter the least wait that the server asked for
     */
    record Failed(String error, boolean retryable, Optional<Duration> retryAfter,
            Optional<Usage> usage) implements Outcome {}

    /** Somebody asked to stop it. */
    record Cancelled(Optional<Usage> usage) implements Outcome {}

    /** The process stops, or lost its lease: back to pending, no attempt spent. */
    record HandedBack(Optional<Usage> usage) implements Outcome {}
}
