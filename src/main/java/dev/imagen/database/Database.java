package dev.imagen.database;

import dev.imagen.config.DatabaseSettings;
import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import io.helidon.dbclient.DbClient;
import io.helidon.dbclient.DbClientException;
import io.helidon.dbclient.jdbc.JdbcClientBuilder;
import io.helidon.dbclient.jdbc.JdbcConnectionPool;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The pool of connections, which is DbClient's. Work of the service itself is single statements, each a transaction of
 * its own; work for a caller runs in a transaction as the caller's role. Rows are read from connections that DbClient
 * unwraps: its own rows would cost a pickup 0.3 ms (docs/decisions/0014).
 *
 * <p>
 * Every method throws {@link DatabaseException}. Parameters are indexed; a uuid is passed as such and written
 * {@code ?::uuid}.
 */
public final class Database implements AutoCloseable {

    static {
        // Asks a connection whether it is alive before its use only after this long; a heartbeat should not cost two.
        System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", "30000");
    }

    private final DbClient client;
    private final int connections;

    /** Opens the pool; the server need not answer yet. */
    public Database(DatabaseSettings settings) {
        this.connections = settings.pool();
        this.client = JdbcClientBuilder.create()
                .connectionPool(JdbcConnectionPool.create(Config.just(ConfigSources.create(pool(settings))))).build();
    }

    private static Map<String, String> pool(DatabaseSettings settings) {
        var service = settings.service();
        var pool = new HashMap<>(Map.of("url", service.url(), "username", service.username(), "password",
                service.password(), "poolName", "imagen", "maximumPoolSize", String.valueOf(settings.pool()),
                "minimumIdle", "2", "initializationFailTimeout", "-1", "connectionTimeout", "10000"));
        pool.put("driverClassName", PatientDriver.class.getName());
        Connections.properties(settings).forEach((key, value) -> pool.put("dataSource." + key, value));
        return pool;
    }

    /** All rows of one statement. */
    public <T> List<T> query(String sql, Function<Row, T> mapper, Object... parameters) {
        try (Connection connection = client.unwrap(Connection.class)) {
            return new Session(connection).query(sql, mapper, parameters);
        } catch (SQLException e) {
            throw new DatabaseException(e);
        } catch (DbClientException e) {
            throw translated(e);
        }
    }

    /** The only row of one statement, if there is one. */
    public <T> Optional<T> one(String sql, Function<Row, T> mapper, Object... parameters) {
        return query(sql, mapper, parameters).stream().findFirst();
    }

    /** The number of rows that one statement without RETURNING changed. */
    public long update(String sql, Object... parameters) {
        try {
            return client.execute().createDmlStatement(sql).params(Arrays.asList(parameters)).execute();
        } catch (DbClientException e) {
            throw translated(e);
        }
    }

    /**
     * All rows of one statement, or of the last of several, in a transaction for a caller, in one round trip. Only for
     * what may run twice: where a pooled connection has died, it is sent again on another one, though the server may
     * have run it.
     */
    public <T> List<T> query(Caller caller, String sql, Function<Row, T> mapper, Object... parameters) {
        for (int left = connections;; left--) {
            try (Connection connection = client.unwrap(Connection.class)) {
                return new Session(connection).queryAs(caller, sql, mapper, parameters);
            } catch (SQLException e) {
                if (left <= 1 || !new DatabaseException(e).lost()) {
                    throw new DatabaseException(e);
                }
            } catch (DbClientException e) {
                throw translated(e);
            }
        }
    }

    /** The only row of {@link #query(Caller, String, Function, Object...)}, if there is one. */
    public <T> Optional<T> one(Caller caller, String sql, Function<Row, T> mapper, Object... parameters) {
        return query(caller, sql, mapper, parameters).stream().findFirst();
    }

    /** What a transaction for a caller does. */
    @FunctionalInterface
    public interface Work<T> {
        /** Runs with the caller's rights. */
        T run(Session session) throws SQLException;
    }

    /**
     * Runs work in a transaction of its own, as the caller's role with the caller's claims. Both are set by a statement
     * of their own before the first query is planned, and only until the transaction ends: the pool rolls back what a
     * failure left open.
     */
    public <T> T as(Caller caller, Work<T> work) {
        try (Connection connection = connectionAs(caller)) {
            T result = work.run(new Session(connection));
            connection.commit();
            return result;
        } catch (SQLException e) {
            throw new DatabaseException(e);
        } catch (DbClientException e) {
            throw translated(e);
        }
    }

    /**
     * A pooled connection may have died since it was last used. As nothing has been asked of it yet, another one can
     * take its place: up to as many as the pool may hold.
     */
    private Connection connectionAs(Caller caller) throws SQLException {
        for (int left = connections;; left--) {
            Connection connection = client.unwrap(Connection.class);
            try {
                connection.setAutoCommit(false);
                new Session(connection).become(caller);
                return connection;
            } catch (SQLException e) {
                connection.close();
                if (left <= 1 || !new DatabaseException(e).lost()) {
                    throw e;
                }
            }
        }
    }

    private static DatabaseException translated(DbClientException e) {
        return e.getCause() instanceof SQLException sql
                ? new DatabaseException(sql)
                : new DatabaseException(e.getMessage(), e);
    }

    @Override
    public void close() {
        client.close();
    }
}
