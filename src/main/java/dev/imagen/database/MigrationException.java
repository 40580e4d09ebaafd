package dev.imagen.database;

import java.sql.SQLException;
import org.flywaydb.core.api.FlywayException;

/** The schema could not be brought up to date; starting again without a change would not help. */
public final class MigrationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    MigrationException(FlywayException cause) {
        this((Exception) cause);
    }

    MigrationException(SQLException cause) {
        this((Exception) cause);
    }

    private MigrationException(Exception cause) {
        super("migration failed: " + cause.getMessage().strip(), cause);
    }
}
