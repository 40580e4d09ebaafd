package dev.imagen.database;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * The embedded server's password in the form of libpq's {@code passfile}, readable by its user alone. The folder above
 * is closed to others too.
 *
 * @param path the file
 * @param password 32 hexadecimal digits
 */
record PasswordFile(Path path, String password) {

    /** Reads the file in this folder, writing a new one where there is none. */
    static PasswordFile in(Path folder) {
        var path = folder.resolve("pgpass");
        try {
            if (!Files.exists(path)) {
                var password = HexFormat.of().formatHex(random());
                write(path, "127.0.0.1:*:*:*:" + password + "\n");
            }
            var line = Files.readString(path).strip();
            return new PasswordFile(path, line.substring(line.lastIndexOf(':') + 1));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read or write " + path, e);
        }
    }

    /** The bare password in a file of its own, as initdb wants it; to be deleted after the start. */
    Path initial() throws IOException {
        var file = path.resolveSibling("initial-password");
        write(file, password + "\n");
        return file;
    }

    private static void write(Path file, String content) throws IOException {
        Files.writeString(file, content);
        if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        }
    }

    private static byte[] random() {
        var bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }
}
