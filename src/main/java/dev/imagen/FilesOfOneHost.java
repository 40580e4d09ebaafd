package dev.imagen;

import dev.imagen.config.Settings;
import dev.imagen.config.StorageSettings.Kind;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.worker.HostName;
import java.lang.System.Logger.Level;

/** Says at the start that images are files of this host while others work on the same queue. */
final class FilesOfOneHost {

    private static final System.Logger LOG = System.getLogger(FilesOfOneHost.class.getName());

    private static final String LIVE = """
            select name from imagen.workers where heartbeat_at > now() - ? * interval '1 millisecond'
            """;

    private FilesOfOneHost() {}

    static void check(Settings settings, Database database) {
        if (settings.storage().kind() == Kind.FILE) {
            try {
                warn(database, settings.worker().lease().toMillis());
            } catch (DatabaseException e) {
                LOG.log(Level.DEBUG, "whether there are workers on other hosts is not known: {0}", e.getMessage());
            }
        }
    }

    private static void warn(Database database, long lease) {
        var others = database.query(LIVE, row -> HostName.of(row.text("name")), lease).stream()
                .filter(host -> !host.equals(HostName.here())).distinct().sorted().toList();
        if (!others.isEmpty()) {
            LOG.log(Level.WARNING,
                    "images are files of this host, {0}, and there are workers on {1}: unless all of them"
                            + " have imagen.home (IMAGEN_HOME) on a folder that they share, none shows the images of another;"
                            + " share one, or set storage.kind (STORAGE_KIND) to supabase or s3 everywhere",
                    HostName.here(), others);
        }
    }
}
