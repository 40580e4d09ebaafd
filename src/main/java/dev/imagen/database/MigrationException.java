package dev.imagen.database;

/** The schema could not be brought up to date; starting again without a change would not help. */
public final class MigrationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    MigrationException(Exception cause) {
        this("migration failed: " + cause.getMessage().strip(), cause);
    }

    MigrationException(String message, Exception cause) {
        super(message, cause);
    }
}
