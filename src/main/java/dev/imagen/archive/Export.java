package dev.imagen.archive;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.database.Migrations;
import dev.imagen.database.TableRows;
import dev.imagen.storage.FileImageStore;
import dev.imagen.storage.ImageStore.Content;
import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes an {@link Archive}, beside a service that goes on. */
public final class Export {

    private static final String PATHS = "select distinct path from imagen.images where bucket = 'file' order by path";

    private final DatabaseSettings settings;
    private final FileImageStore store;

    /** @param store where the files of images are */
    public Export(DatabaseSettings settings, FileImageStore store) {
        this.settings = settings;
        this.store = store;
    }

    /**
     * What was written.
     *
     * @param rows of all tables
     * @param images files
     * @param missing keys of images whose file was not there: removed since the snapshot, or lost before
     */
    public record Exported(long rows, long images, List<String> missing) {}

    /**
     * Writes a new file, readable by its user alone: it has prompts and the hashes of API keys.
     *
     * @throws IllegalArgumentException when there is a file already, the schema is missing or another version's, or the
     *     login does not own it
     */
    public Exported run(Path file) throws IOException {
        create(file);
        try (var rows = TableRows.read(settings)) {
            if (!rows.owned()) {
                throw new IllegalArgumentException("the login " + settings.owner() + " does not see every row: export"
                        + " with the one that owns the schema imagen (db.migration, DB_MIGRATION_…)");
            }
            int latest = new Migrations(settings).latest();
            int version = rows.version()
                    .orElseThrow(() -> new IllegalArgumentException("the database has no schema imagen yet"));
            if (version != latest) {
                throw new IllegalArgumentException(
                        "the schema of the database has version " + version + ", and this program knows " + latest
                                + ": export with the version of ImaGen that serves, or run" + " imagen migrate first");
            }
            try (var zip = new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 16))) {
                return write(version, rows, zip);
            }
        } catch (IOException | RuntimeException e) {
            Files.delete(file);
            throw e;
        }
    }

    /** Nobody else may open it even for the moment before its rights could be changed. */
    private static void create(Path file) throws IOException {
        try {
            Files.createFile(file, rights(file));
        } catch (FileAlreadyExistsException e) {
            throw new IllegalArgumentException(file + " is there already: name a new file", e);
        }
    }

    private static FileAttribute<?>[] rights(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[]{
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))}
                : new FileAttribute<?>[0];
    }

    private Exported write(int version, TableRows rows, ZipOutputStream zip) throws IOException {
        zip.setLevel(Deflater.BEST_SPEED);
        zip.putNextEntry(new ZipEntry(Archive.MANIFEST));
        zip.write(("format=" + Archive.FORMAT + "\nschema=" + version + "\n").getBytes(StandardCharsets.UTF_8));
        long written = 0;
        for (String table : Archive.TABLES) {
            zip.putNextEntry(new ZipEntry(Archive.entry(table)));
            written += rows.copyOut(table, unclosed(zip));
        }
        // Pictures are compressed already.
        zip.setLevel(Deflater.NO_COMPRESSION);
        var images = new Images(zip);
        rows.each(PATHS, row -> images.add(row.text("path")));
        return new Exported(written, images.written, images.missing);
    }

    private static OutputStream unclosed(OutputStream zip) {
        return new FilterOutputStream(zip) {
            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
                out.write(bytes, from, length);
            }

            @Override
            public void close() {
                // The entry ends; the archive goes on.
            }
        };
    }

    private final class Images {
        private final ZipOutputStream zip;
        private final List<String> missing = new ArrayList<>();
        private long written;

        Images(ZipOutputStream zip) {
            this.zip = zip;
        }

        void add(String key) throws IOException {
            var found = content(key);
            if (found.isEmpty()) {
                missing.add(key);
                return;
            }
            try (var bytes = found.get().bytes()) {
                zip.putNextEntry(new ZipEntry(Archive.IMAGES + key));
                bytes.transferTo(zip);
                written++;
            }
        }

        private Optional<Content.Stream> content(String key) throws IOException {
            try {
                return store.content(key).map(Content.Stream.class::cast);
            } catch (IllegalArgumentException e) {
                // No key of this program's: of a row that somebody else wrote.
                return Optional.empty();
            }
        }
    }
}
