package dev.imagen.database;

import java.util.UUID;

/**
 * For whom a statement runs: the database role and the claims that row-level security reads.
 *
 * @param role {@code authenticated} or {@code service_role}
 * @param claims a JSON object, as PostgREST sets {@code request.jwt.claims}
 * @param owner the {@code sub} of the claims
 */
public record Caller(String role, String claims, UUID owner) {

    /** An owner acting for themselves. */
    public static Caller owner(UUID owner) {
        return new Caller("authenticated",
                "{\"sub\":\"" + owner + "\",\"role\":\"authenticated\",\"aud\":\"authenticated\"}", owner);
    }

    /** The service itself, acting for all owners. @param owner whose its own jobs would be */
    public static Caller service(UUID owner) {
        return new Caller("service_role", "{\"role\":\"service_role\"}", owner);
    }
}
