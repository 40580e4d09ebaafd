package dev.imagen.database;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * For whom a statement runs: the database role and the claims that row-level security reads.
 *
 * @param role {@code authenticated} or {@code service_role}
 * @param claims a JSON object, as PostgREST sets {@code request.jwt.claims}
 * @param owner whose jobs and images are the caller's; empty for the service, which acts for all
 * @param until when what proved the caller ends, if it does
 */
public record Caller(String role, String claims, Optional<UUID> owner, Optional<Instant> until) {

    private static final String SERVICE = "service_role";

    /** An owner acting for themselves. */
    public static Caller owner(UUID owner) {
        return new Caller("authenticated",
                "{\"sub\":\"" + owner + "\",\"role\":\"authenticated\",\"aud\":\"authenticated\"}", Optional.of(owner),
                Optional.empty());
    }

    /** The service itself, acting for all owners. */
    public static Caller service() {
        return new Caller(SERVICE, "{\"role\":\"service_role\"}", Optional.empty(), Optional.empty());
    }

    /** The same caller until this time. */
    public Caller until(Instant end) {
        return new Caller(role, claims, owner, Optional.of(end));
    }

    /** Whether the caller may act for every owner and operate the queue. */
    public boolean operates() {
        return role.equals(SERVICE);
    }
}
