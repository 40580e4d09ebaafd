package dev.imagen.worker;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * When the queue is worth another look without anybody's signal. Used by the one thread that claims.
 */
final class NextDue {

    /** Due jobs that another transaction holds at the moment are looked at again after this, and then less often. */
    private static final Duration FIRST_LOOK_AGAIN = Duration.ofMillis(10);
    private static final Duration LAST_LOOK_AGAIN = Duration.ofSeconds(1);

    private static final Duration NOTHING_DUE = Duration.ofDays(1);

    private long dueNanos = System.nanoTime();
    private Duration lookAgain = FIRST_LOOK_AGAIN;
    private boolean overdue;

    /** Something was due at the last look, and not given to us. */
    boolean overdue() {
        return overdue;
    }

    /** With no slot free nothing is asked; what is due by then is claimed as soon as one is. */
    void unknown() {
        dueNanos = System.nanoTime();
    }

    /**
     * @param changed whether what is pending may have changed: every change is signalled, so else nothing is asked
     * @param ask the queue, for the time until the next job is due
     */
    Duration in(boolean changed, Supplier<Optional<Duration>> ask) {
        if (changed || System.nanoTime() - dueNanos >= 0) {
            var due = ask.get().orElse(NOTHING_DUE);
            // Another claim holds it at the moment, or as many jobs of its backend run as may.
            overdue = due.isZero();
            lookAgain = overdue ? lessOften() : FIRST_LOOK_AGAIN;
            dueNanos = System.nanoTime() + Math.max(due.toNanos(), lookAgain.toNanos());
        }
        return Duration.ofNanos(dueNanos - System.nanoTime());
    }

    private Duration lessOften() {
        var doubled = lookAgain.multipliedBy(2);
        return doubled.compareTo(LAST_LOOK_AGAIN) < 0 ? doubled : LAST_LOOK_AGAIN;
    }
}
