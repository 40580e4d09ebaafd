package dev.imagen.database;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/** The embedded server's folder, held by one process. The lock is the operating system's, so a crash frees it. */
final class DataFolder implements AutoCloseable {

    private final Path path;
    private final FileChannel channel;

    private DataFolder(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    static DataFolder lock(Path path) {
        try {
            createPrivate(path);
            var channel = FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (tryLock(channel) == null) {
                channel.close();
                throw new EmbeddedPostgresException("another imagen process uses " + path
                        + ": stop it, or set imagen.home (IMAGEN_HOME) to another folder", null);
            }
            return new DataFolder(path, channel);
        } catch (IOException e) {
            throw new EmbeddedPostgresException("cannot use the folder " + path + ": " + e
                    + "; set imagen.home (IMAGEN_HOME) to a folder that this user can write", e);
        }
    }

    /** Whether another process holds the folder now. */
    static boolean locked(Path path) {
        var file = path.resolve("lock");
        if (!Files.exists(file)) {
            return false;
        }
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            return tryLock(channel) == null;
        } catch (IOException e) {
            return false;
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Held within this very process.
            return null;
        }
    }

    private static void createPrivate(Path path) throws IOException {
        Files.createDirectories(path);
        if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
        }
    }

    Path path() {
        return path;
    }

    Path data() {
        return path.resolve("data");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new EmbeddedPostgresException("cannot free the folder " + path, e);
        }
    }
}
