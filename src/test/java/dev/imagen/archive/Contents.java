package dev.imagen.archive;

import dev.imagen.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What an installation has, to compare. */
final class Contents {

    private Contents() {}

    /** All rows of each table that is kept. */
    static Map<String, List<Map<String, Object>>> rows(TestDatabase database) throws SQLException {
        var tables = new LinkedHashMap<String, List<Map<String, Object>>>();
        for (String table : Archive.TABLES) {
            tables.put(table, database.rows("select to_jsonb(t)::text as row from imagen." + table + " t order by 1"));
        }
        return tables;
    }

    /** The bytes of all files below a folder, by their path in it. */
    static Map<String, String> files(Path root) throws IOException {
        var found = new TreeMap<String, String>();
        try (var files = Files.walk(root)) {
            for (Path path : files.filter(Files::isRegularFile).toList()) {
                found.put(root.relativize(path).toString(), HexFormat.of().formatHex(Files.readAllBytes(path)));
            }
        }
        return found;
    }
}
