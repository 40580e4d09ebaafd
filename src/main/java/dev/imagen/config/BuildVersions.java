package dev.imagen.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Properties;

/** What the build wrote down of itself. */
public final class BuildVersions {

    private BuildVersions() {}

    /** Of this program. */
    public static String program() {
        return read("version");
    }

    /** Of the PostgreSQL that it brings. */
    public static String postgres() {
        return read("postgres");
    }

    private static String read(String key) {
        var properties = new Properties();
        try (var stream = BuildVersions.class.getResourceAsStream("/version.properties")) {
            properties.load(stream);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.getProperty(key);
    }
}
