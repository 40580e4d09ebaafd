package dev.imagen.job;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The states of a job; {@code docs/architecture.md} draws the moves between them. */
public enum JobStatus {
    PENDING, RUNNING, DONE, FAILED, CANCELLED;

    /** As the column and JSON have it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The status of this text, if there is one. */
    public static Optional<JobStatus> of(String text) {
        return Arrays.stream(values()).filter(status -> status.text().equals(text)).findFirst();
    }

    /** Whether nothing more happens, unless somebody asks for a retry. */
    public boolean finished() {
        return this == DONE || this == FAILED || this == CANCELLED;
    }
}
