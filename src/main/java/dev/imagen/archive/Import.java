package dev.imagen.archive;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.database.Migrations;
import dev.imagen.database.TableRows;
import dev.imagen.storage.FileImageStore;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Brings the rows and files of an {@link Archive} into a database that has none. An archive of an earlier version of
 * the schema goes into a schema of that version, which is then brought up to date.
 */
public final class Import {

    private static final List<String> MUST_BE_EMPTY = List.of("jobs", "images", "usage", "api_keys");
    private static final Pattern SCHEMA = Pattern.compile("[1-9][0-9]{0,8}");

    private final DatabaseSettings settings;
    private final FileImageStore store;

    /** @param store where the files of images go */
    public Import(DatabaseSettings settings, FileImageStore store) {
        this.settings = settings;
        this.store = store;
    }

    /**
     * What was read.
     *
     * @param rows of all tables
     * @param images files
     */
    public record Imported(long rows, long images) {}

    /**
     * Reads a file. All rows come or none; files that a failure leaves are those that another try writes again.
     *
     * @throws IllegalArgumentException when the file is no archive, or the database is not one that it may go into
     */
    public Imported run(Path file) throws IOException {
        try (var zip = new ZipFile(file.toFile())) {
            int version = version(zip, file);
            prepare(version);
            var imported = copy(zip);
            new Migrations(settings).run();
            return imported;
        } catch (ZipException e) {
            throw new IllegalArgumentException(file + " is no whole file of imagen export: " + e.getMessage(), e);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException("there is no file " + file, e);
        }
    }

    private static int version(ZipFile zip, Path file) throws IOException {
        var manifest = new Properties();
        var entry = zip.getEntry(Archive.MANIFEST);
        if (entry != null) {
            try (var stream = zip.getInputStream(entry)) {
                manifest.load(stream);
            }
        }
        if (!String.valueOf(Archive.FORMAT).equals(manifest.getProperty("format"))) {
            throw new IllegalArgumentException(file + " is no file of this version's imagen export");
        }
        var schema = manifest.getProperty("schema", "");
        if (!SCHEMA.matcher(schema).matches()) {
            throw new IllegalArgumentException(file + " is damaged: the line schema= of its " + Archive.MANIFEST
                    + " must have the number of a version and has \"" + schema + "\"");
        }
        return Integer.parseInt(schema);
    }

    /** Leaves an empty schema of this version. */
    private void prepare(int version) {
        var migrations = new Migrations(settings);
        int latest = migrations.latest();
        if (version > latest) {
            throw new IllegalArgumentException("the file has the schema of a newer version of ImaGen (" + version
                    + ", this one knows " + latest + "): import it with that version");
        }
        try (var rows = TableRows.read(settings)) {
            rows.version().filter(present -> present > version).ifPresent(present -> {
                throw new IllegalArgumentException("the schema imagen of this database is newer (" + present
                        + ") than that of the file (" + version + "): import into a database without a schema imagen,"
                        + " before the first start; or, with the embedded server, into another imagen.home (IMAGEN_HOME)");
            });
        }
        migrations.run(version);
    }

    private Imported copy(ZipFile zip) throws IOException {
        try (var rows = TableRows.write(settings)) {
            for (String table : MUST_BE_EMPTY) {
                if (!rows.empty(table)) {
                    throw new IllegalArgumentException(
                            "imagen." + table + " of this database has rows already: import into an empty database");
                }
            }
            long written = 0;
            for (String table : Archive.TABLES) {
                var entry = zip.getEntry(Archive.entry(table));
                // A table that came after the archive's version has none.
                if (entry != null) {
                    try (var stream = checked(zip, entry)) {
                        written += rows.copyIn(table, stream);
                    }
                }
            }
            long images = copyImages(zip);
            rows.commit();
            return new Imported(written, images);
        }
    }

    private long copyImages(ZipFile zip) throws IOException {
        long images = 0;
        for (var entries = zip.entries(); entries.hasMoreElements();) {
            var entry = entries.nextElement();
            // Programs that pack a folder write entries for the folders too.
            if (entry.getName().startsWith(Archive.IMAGES) && !entry.isDirectory()) {
                try (var stream = checked(zip, entry)) {
                    store.put(entry.getName().substring(Archive.IMAGES.length()), stream.readAllBytes(), "");
                    images++;
                }
            }
        }
        return images;
    }

    /** ZipFile itself does not look at the sums. */
    private static InputStream checked(ZipFile zip, ZipEntry entry) throws IOException {
        var sum = new CRC32();
        return new FilterInputStream(new CheckedInputStream(zip.getInputStream(entry), sum)) {
            @Override
            public int read(byte[] bytes, int from, int length) throws IOException {
                int read = super.read(bytes, from, length);
                if (read < 0 && sum.getValue() != entry.getCrc()) {
                    throw new ZipException(entry.getName() + " is damaged");
                }
                return read;
            }
        };
    }
}
