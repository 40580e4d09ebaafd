package dev.imagen.storage;

import dev.imagen.image.ImageBytes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Image files below a folder of this machine. */
public final class FileImageStore implements ImageStore {

    private final Path root;

    /** @param root made when the first image is stored */
    public FileImageStore(Path root) {
        this.root = root;
    }

    @Override
    public String bucket() {
        return "file";
    }

    /** Where the bytes of a key are. */
    public Path path(String key) {
        return root.resolve(StorageKey.check(key));
    }

    @Override
    public String place(String key) {
        return path(key).toString();
    }

    /** The path of a key, unless a link in the folder leads out of it. */
    private Path inside(String key) throws IOException {
        var path = path(key);
        var existing = path;
        while (!existing.equals(root) && Files.notExists(existing, LinkOption.NOFOLLOW_LINKS)) {
            existing = existing.getParent();
        }
        // The folder itself may be a link, to another disk.
        if (!existing.equals(root) && !existing.toRealPath().startsWith(root.toRealPath())) {
            throw new IOException("a link leads out of the folder of images: " + existing);
        }
        return path;
    }

    @Override
    public void put(String key, ImageBytes bytes, String mimeType) throws IOException {
        var target = inside(key);
        boolean freshFolder = !Files.isDirectory(target.getParent());
        Files.createDirectories(target.getParent());
        var temporary = target.resolveSibling("." + UUID.randomUUID());
        try {
            write(temporary, bytes);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
        try {
            forceFolders(target.getParent(), freshFolder);
        } catch (IOException e) {
            // Most often an interrupt of a job that was stopped: whoever is told of a failure tells nobody of the file.
            Files.deleteIfExists(target);
            throw e;
        }
    }

    /** On the disk before its name exists: after a crash there is the whole file or none. */
    private static void write(Path file, ImageBytes bytes) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            bytes.writeTo(channel);
            channel.force(true);
        }
    }

    /** A name is on the disk only when its folder is. */
    private void forceFolders(Path folder, boolean andAbove) throws IOException {
        try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
        if (andAbove && !folder.equals(root)) {
            forceFolders(folder.getParent(), true);
        }
    }

    @Override
    public Optional<byte[]> get(String key) throws IOException {
        try {
            return Optional.of(Files.readAllBytes(inside(key)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    /** Read while it is sent: what is in memory does not depend on the client. */
    @Override
    public Optional<Content> content(String key) throws IOException {
        var path = inside(key);
        try {
            var channel = FileChannel.open(path, StandardOpenOption.READ);
            if (Files.isRegularFile(path)) {
                return Optional.of(new Content.Stream(Channels.newInputStream(channel), channel.size()));
            }
            channel.close();
            throw new IOException("no file, but something else: " + path);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public List<String> keys(String prefix) throws IOException {
        var beginning = inside(prefix);
        var keys = new ArrayList<String>();
        // Not isDirectory: that is false too where the folder is there but may not be read.
        if (Files.notExists(beginning.getParent())) {
            return keys;
        }
        try (var entries = Files.newDirectoryStream(beginning.getParent(),
                entry -> entry.getFileName().toString().startsWith(beginning.getFileName().toString()))) {
            for (Path entry : entries) {
                addFiles(entry, keys);
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return keys;
    }

    /** A file is one key, a folder all that are below it; temporary files are none. */
    private void addFiles(Path entry, List<String> keys) throws IOException {
        try (var files = Files.walk(entry)) {
            files.filter(Files::isRegularFile).map(file -> root.relativize(file).toString().replace('\\', '/'))
                    .filter(StorageKey::valid).forEach(keys::add);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    @Override
    public void delete(String key) throws IOException {
        Files.deleteIfExists(inside(key));
    }
}
