package dev.imagen.api;

import java.time.DateTimeException;
import java.time.Instant;

/** Times in requests. */
final class Times {

    private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");
    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59.999999999Z");

    private Times() {}

    /**
     * A time within the years that the database and all of Java's classes know.
     *
     * @throws DateTimeException when it is none
     */
    static Instant parse(String text) {
        var time = Instant.parse(text);
        if (time.isBefore(EARLIEST) || time.isAfter(LATEST)) {
            throw new DateTimeException("not in the years 1 to 9999");
        }
        return time;
    }
}
