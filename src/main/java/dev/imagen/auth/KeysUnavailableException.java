package dev.imagen.auth;

/** The public keys that tokens are checked with cannot be fetched, and none are known from before. */
public final class KeysUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    KeysUnavailableException(Throwable cause) {
        super("the keys of auth.jwt.jwks (AUTH_JWT_JWKS) cannot be fetched: " + cause.getMessage(), cause);
    }
}
