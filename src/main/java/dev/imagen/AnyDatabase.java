package dev.imagen;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Settings;
import dev.imagen.database.EmbeddedPostgres;
import java.util.Optional;

/** The database for a command: one's own server, or the embedded one, of a running process or started for this. */
record AnyDatabase(DatabaseSettings settings, Optional<EmbeddedPostgres> started) implements AutoCloseable {

    static AnyDatabase open(Settings settings) {
        var database = settings.database();
        if (database.connection().isPresent()) {
            return new AnyDatabase(database, Optional.empty());
        }
        var running = EmbeddedPostgres.running(settings.home());
        if (running.isPresent()) {
            return new AnyDatabase(database.at(running.get().service(), running.get().owner()), Optional.empty());
        }
        var embedded = EmbeddedPostgres.start(settings.home());
        return new AnyDatabase(database.at(embedded.logins().service(), embedded.logins().owner()),
                Optional.of(embedded));
    }

    @Override
    public void close() {
        started.ifPresent(EmbeddedPostgres::close);
    }
}
