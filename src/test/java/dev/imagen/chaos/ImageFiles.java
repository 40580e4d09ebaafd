package dev.imagen.chaos;

import dev.imagen.storage.FileImageStore;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The files that the processes left, and the rows that tell of them. */
record ImageFiles(Path folder) {

    private static final String ROWS = """
            select job_id, path, byte_size, encode(sha256, 'hex') as sha256 from imagen.images
            """;

    /** Rows whose file is not there, or not what it was. */
    List<String> violations(Sql sql) throws SQLException, IOException {
        var violations = new ArrayList<String>();
        for (var row : sql.rows(ROWS)) {
            var file = file(row);
            if (!Files.exists(file)) {
                violations.add("an image has a file, but there is none: " + row);
            } else if (!row.get("sha256").equals(sha256(file)) || (long) row.get("byte_size") != Files.size(file)) {
                violations.add("an image's file is what was recorded, but it has " + Files.size(file) + " bytes with "
                        + sha256(file) + ": " + row);
            }
        }
        return violations;
    }

    /** Files that no row tells of. */
    List<Path> orphans(Sql sql) throws SQLException, IOException {
        Set<Path> told = sql.rows(ROWS).stream().map(this::file).collect(Collectors.toSet());
        return all().stream().filter(file -> !told.contains(file)).toList();
    }

    /** All files, half-written ones too. */
    List<Path> all() throws IOException {
        if (!Files.exists(folder)) {
            return List.of();
        }
        var files = new ArrayList<Path>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                files.add(file);
                return FileVisitResult.CONTINUE;
            }

            /** What comes too late is removed while we look. */
            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }
        });
        return files;
    }

    private Path file(Map<String, Object> row) {
        return new FileImageStore(folder).path((String) row.get("path"));
    }

    private static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
