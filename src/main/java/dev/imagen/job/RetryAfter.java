package dev.imagen.job;

import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** What servers say about how long to wait. */
public final class RetryAfter {

    private RetryAfter() {}

    /** Of a {@code Retry-After} header (RFC 9110, 10.2.3): seconds, or the time of a clock; empty for anything else. */
    public static Optional<Duration> of(String header) {
        try {
            return Optional.of(header.matches("[0-9]{1,9}")
                    ? Duration.ofSeconds(Long.parseLong(header))
                    : notNegative(Duration.between(Instant.now(),
                            ZonedDateTime.parse(header, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant())));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    /** Of a {@code retry-after-ms} header, which some providers add: milliseconds; empty for anything else. */
    public static Optional<Duration> ofMillis(String header) {
        return header.matches("[0-9]{1,12}(\\.[0-9]{1,9})?")
                ? Optional.of(Duration.ofMillis((long) Math.ceil(Double.parseDouble(header))))
                : Optional.empty();
    }

    private static Duration notNegative(Duration wait) {
        return wait.isNegative() ? Duration.ZERO : wait;
    }
}
