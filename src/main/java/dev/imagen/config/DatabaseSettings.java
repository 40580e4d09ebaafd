package dev.imagen.config;

import java.time.Duration;
import java.util.Optional;

/**
 * How to reach PostgreSQL.
 *
 * @param connection the service's login; empty: the embedded server
 * @param migration the login that owns the schema; empty: {@code connection}
 * @param migrate whether {@code serve} migrates
 * @param listenerUrl a direct URL for LISTEN; empty: the connection's
 * @param listen false: poll only
 * @param pooler whether the connection goes through PgBouncer in transaction mode
 * @param pool connections in the pool
 * @param timeout longest statement
 */
public record DatabaseSettings(Optional<Login> connection, Optional<Login> migration, boolean migrate,
        Optional<String> listenerUrl, boolean listen, boolean pooler, int pool, Duration timeout) {

    private static final int WORKER_POOL = 7;

    /** The same settings for a server that is known only after it has started. */
    public DatabaseSettings at(Login service, Login owner) {
        return new DatabaseSettings(Optional.of(service), Optional.of(owner), migrate, listenerUrl, listen, pooler,
                pool, timeout);
    }

    /** The same for the worker's own pool: few connections, since each is held for one statement only. */
    public DatabaseSettings forWorker() {
        return new DatabaseSettings(connection, migration, migrate, listenerUrl, listen, pooler, WORKER_POOL, timeout);
    }

    /** The service's login; only after {@link #at} where the embedded server is used. */
    public Login service() {
        return connection.orElseThrow();
    }

    /** The login that migrates. */
    public Login owner() {
        return migration.orElseGet(this::service);
    }

    /** Where to LISTEN, past any pooler. */
    public Login listener() {
        return new Login(listenerUrl.orElse(service().url()), service().username(), service().password());
    }
}
