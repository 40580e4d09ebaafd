package dev.imagen.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * What some tests need besides Java. Where it is missing they are skipped, and say so; with
 * {@code IMAGEN_REQUIRE_TOOLS=1} in the environment they fail instead.
 */
public final class Tools {

    private static final boolean REQUIRED = "1".equals(System.getenv("IMAGEN_REQUIRE_TOOLS"));
    private static final Path LIBRARIES = Path.of("/usr/lib");

    private Tools() {}

    /** Sets limits of a running process; of util-linux. */
    public static Path prlimit() {
        return first("prlimit", Stream.of(Path.of("/usr/bin/prlimit"), Path.of("/bin/prlimit")));
    }

    /** The pooler. */
    public static Path pgbouncer() {
        return first("pgbouncer", Stream.of("/usr/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
                .map(folder -> Path.of(folder, "pgbouncer")));
    }

    /** A library that gives a process another time; Debian has a folder for each platform. */
    public static Path libfaketime() {
        try (var platforms = Files.list(LIBRARIES)) {
            return first("libfaketime", platforms.map(folder -> folder.resolve("faketime/libfaketimeMT.so.1")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A program of PostgreSQL's clients, such as {@code pg_dump}. */
    public static Path postgres(String program) {
        return program(program);
    }

    /** Renders manifests by the kustomize in it; no cluster is asked. */
    public static Path kubectl() {
        return program("kubectl");
    }

    /** Tests alert rules; of Prometheus. */
    public static Path promtool() {
        return program("promtool");
    }

    /** Reads units; nothing of systemd needs to run. */
    public static Path systemdAnalyze() {
        return program("systemd-analyze");
    }

    private static Path program(String name) {
        return first(name,
                Stream.of("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin").map(folder -> Path.of(folder, name)));
    }

    private static Path first(String name, Stream<Path> places) {
        return places.filter(Files::exists).findFirst().orElseThrow(() -> missing(name));
    }

    private static RuntimeException missing(String name) {
        var message = name + " is not installed";
        if (REQUIRED) {
            return new IllegalStateException(message + ", and IMAGEN_REQUIRE_TOOLS is 1");
        }
        System.out.println("skipped: " + message);
        return new TestAbortedException(message);
    }
}
