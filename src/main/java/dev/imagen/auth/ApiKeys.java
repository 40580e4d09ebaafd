package dev.imagen.auth;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** API keys: made and revoked by whoever operates the service, shown once, kept as hashes. */
public final class ApiKeys {

    /** Tells a key from a token, and a leaked one from other secrets. */
    private static final String PREFIX = "imagen_";

    /** A stream that was opened with a key ends after this time, so that a revoked key does not stay of use. */
    private static final Duration STREAM = Duration.ofMinutes(15);

    private static final String CREATE = """
            insert into imagen.api_keys (name, role, owner_user_id, key_hash)
            values (?, ?, ?::uuid, decode(?, 'hex')) returning *
            """;

    private static final String LIST = """
            select * from imagen.api_keys order by created_at, id
            """;

    private static final String REVOKE = """
            update imagen.api_keys set revoked_at = coalesce(revoked_at, now()) where id = ?::uuid returning *
            """;

    private static final String FIND = """
            select * from imagen.api_keys where key_hash = decode(?, 'hex') and revoked_at is null
            """;

    private final Database database;

    /** Keys of this database. */
    public ApiKeys(Database database) {
        this.database = database;
    }

    /** @param owner whose jobs and images it is for; empty: all owners', and the queue's operation */
    public record ApiKey(UUID id, String name, Optional<UUID> owner, Instant createdAt, Optional<Instant> revokedAt) {}

    /** @param key to be shown now or never */
    public record Created(ApiKey known, String key) {}

    /**
     * Makes a key.
     *
     * @param name says what it is for, 1 to 200 characters
     * @param owner whose it is; empty: for all owners, and to operate the queue
     * @throws DatabaseException when it cannot be kept
     */
    public Created create(String name, Optional<UUID> owner) {
        var key = RandomToken.next(PREFIX);
        var role = owner.isPresent() ? "authenticated" : "service_role";
        var known = database.one(CREATE, ApiKeys::known, name, role, owner.orElse(null), RandomToken.hash(key));
        return new Created(known.orElseThrow(), key);
    }

    /** All keys, the oldest first, with those that were revoked. */
    public List<ApiKey> list() {
        return database.query(LIST, ApiKeys::known);
    }

    /** Makes a key useless from now on; empty for an unknown id. */
    public Optional<ApiKey> revoke(UUID id) {
        return database.one(REVOKE, ApiKeys::known, id);
    }

    private static ApiKey known(Row row) {
        return new ApiKey(row.uuid("id"), row.text("name"), row.optionalUuid("owner_user_id"),
                row.instant("created_at"), row.optionalInstant("revoked_at"));
    }

    /** Whether this looks like a key, and not like a token. */
    public static boolean isOne(String text) {
        return text.startsWith(PREFIX);
    }

    /**
     * Whom a key proves.
     *
     * @throws NotAuthenticException when it is none, or was revoked
     */
    public Caller caller(String key) throws NotAuthenticException {
        return database
                .one(FIND, row -> row.optionalUuid("owner_user_id").map(Caller::owner).orElseGet(Caller::service),
                        RandomToken.hash(key))
                .map(caller -> caller.until(Instant.now().plus(STREAM)))
                .orElseThrow(() -> new NotAuthenticException("the API key is unknown or was revoked"));
    }
}
