package dev.imagen.database;

import dev.imagen.config.BuildVersions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which major version of PostgreSQL wrote a data folder: no other one can read it. */
final class DataVersion {

    private DataVersion() {}

    /** @throws EmbeddedPostgresException where this program brings another one: says what to do */
    static void check(DataFolder folder) throws IOException {
        var file = folder.data().resolve("PG_VERSION");
        if (Files.notExists(file)) {
            return;
        }
        var written = Files.readString(file).strip();
        var brought = BuildVersions.postgres().replaceFirst("\\..*", "");
        if (!written.equals(brought)) {
            throw new EmbeddedPostgresException("the data in " + folder.data() + " were written by PostgreSQL "
                    + written + ", and this version of ImaGen brings PostgreSQL " + brought
                    + ", which cannot read them: with the"
                    + " version of ImaGen that wrote them, run imagen export FILE; then move " + folder.path()
                    + " away, and with this one run imagen import FILE (docs/backup.md)", null);
        }
    }
}
