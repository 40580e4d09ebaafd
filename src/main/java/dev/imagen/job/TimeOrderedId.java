package dev.imagen.job;

import java.util.UUID;

/**
 * Ids of new rows: a UUID of version 7 (RFC 9562), which begins with the milliseconds since 1970, so that what is new
 * stands together in an index; 74 bits are random.
 */
public final class TimeOrderedId {

    private TimeOrderedId() {}

    /** An id of this millisecond. */
    public static UUID next() {
        var random = UUID.randomUUID();
        long time = System.currentTimeMillis() << 16;
        return new UUID(time | 0x7000 | random.getMostSignificantBits() & 0xfff, random.getLeastSignificantBits());
    }
}
