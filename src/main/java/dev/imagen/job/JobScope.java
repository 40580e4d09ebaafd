package dev.imagen.job;

import java.util.Optional;

/** Which job the calling thread works on, for what is logged meanwhile. Threads that it starts do not inherit it. */
public final class JobScope {

    private static final ScopedValue<Job> CURRENT = ScopedValue.newInstance();

    private JobScope() {}

    /** Runs the work as part of this job. */
    public static void run(Job job, Runnable work) {
        ScopedValue.where(CURRENT, job).run(work);
    }

    /** The job of the calling thread; empty outside of any. */
    public static Optional<Job> current() {
        return CURRENT.isBound() ? Optional.of(CURRENT.get()) : Optional.empty();
    }
}
