package dev.imagen.auth;

/** What was shown proves nobody. The message says why, and nothing that helps to forge it. */
public final class NotAuthenticException extends Exception {

    private static final long serialVersionUID = 1L;

    /** @param message for whoever showed it */
    public NotAuthenticException(String message) {
        super(message);
    }

    NotAuthenticException(String message, Throwable cause) {
        super(message, cause);
    }
}
