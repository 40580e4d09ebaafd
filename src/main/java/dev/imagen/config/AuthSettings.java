package dev.imagen.config;

import java.net.URI;
import java.util.Optional;
import java.util.UUID;

/**
 * How the REST API finds out who calls.
 *
 * @param owner in mode none whose jobs and images everything is; in every mode the owner of images that the generate
 *     command makes
 * @param jwt in mode jwt, how tokens are checked
 */
public record AuthSettings(Mode mode, UUID owner, Optional<Jwt> jwt) {

    /** What proves a caller. */
    public enum Mode {
        /** Nothing: whoever reaches the port. */
        NONE,
        /** A token of an identity provider, or an API key. */
        JWT,
        /** An API key. */
        KEYS
    }

    /**
     * At least one of secret and jwks is there.
     *
     * @param secret for tokens signed with HS256, at least 32 bytes
     * @param jwks where the public keys are for tokens signed with RS256, ES256 or EdDSA
     * @param audience that tokens must be for; empty: any
     * @param issuer that tokens must come from; empty: any
     */
    public record Jwt(Optional<Secret> secret, Optional<URI> jwks, Optional<String> audience,
            Optional<String> issuer) {}
}
