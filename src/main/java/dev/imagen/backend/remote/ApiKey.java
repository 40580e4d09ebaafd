package dev.imagen.backend.remote;

import dev.imagen.config.Secret;

/**
 * How a key is shown to its server.
 *
 * @param header its name
 * @param value of the header
 */
public record ApiKey(String header, Secret value, Secret secret) {

    /** As OpenAI and most others want it. */
    public static ApiKey bearer(Secret secret) {
        return new ApiKey("Authorization", new Secret("Bearer " + secret.value()), secret);
    }
}
