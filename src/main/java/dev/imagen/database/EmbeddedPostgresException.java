package dev.imagen.database;

/** The embedded server cannot be used; the message says what to do. */
public final class EmbeddedPostgresException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    EmbeddedPostgresException(String message, Throwable cause) {
        super(message, cause);
    }
}
