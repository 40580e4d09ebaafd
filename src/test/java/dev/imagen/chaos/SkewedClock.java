package dev.imagen.chaos;

import dev.imagen.testing.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** The time of day that a process sees. Its monotonic clock goes on as it should. */
final class SkewedClock {

    private final Path library = Tools.libfaketime();
    private final Path file;

    /** @param file says how far off the clock is, to the library, which reads it once a second */
    SkewedClock(Path file) {
        this.file = file;
    }

    /** Leaps. @param off from the real time, in whole seconds */
    void set(Duration off) throws IOException {
        Files.writeString(file, "%+d%n".formatted(off.toSeconds()));
    }

    /** For the process; its monotonic waits are left alone, which the library would otherwise cut to nothing. */
    Map<String, String> environment() {
        return Map.of("LD_PRELOAD", library.toString(), "FAKETIME_TIMESTAMP_FILE", file.toString(),
                "FAKETIME_CACHE_DURATION", "1", "FAKETIME_DONT_FAKE_MONOTONIC", "1", "FAKETIME_FORCE_MONOTONIC_FIX",
                "0", "TZ", "UTC");
    }
}
