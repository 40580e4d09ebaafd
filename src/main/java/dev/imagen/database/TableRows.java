package dev.imagen.database;

import dev.imagen.config.DatabaseSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import org.postgresql.PGConnection;

/**
 * All rows of tables of the schema, out of one snapshot or into the tables in one transaction, as CSV with a header. By
 * the login that owns the tables: row-level security that hid a row from it is an error. Methods throw
 * {@link DatabaseException}.
 */
public final class TableRows implements AutoCloseable {

    private static final String OWNS = """
            select coalesce(bool_and(pg_has_role(relowner, 'usage')), true) as owns from pg_class
             where relnamespace = to_regnamespace('imagen') and relkind = 'r'
            """;
    private static final String VERSION = "select max(version::int) as version from imagen.flyway_schema_history"
            + " where success";

    /** Jobs and images name each other; and what is copied is neither new nor changed. */
    private static final String[] AS_THEY_ARE = {"alter table imagen.jobs disable trigger user",
            "alter table imagen.jobs alter constraint jobs_image_id_fkey deferrable initially deferred"};
    private static final String[] AS_BEFORE = {"set constraints all immediate",
            "alter table imagen.jobs alter constraint jobs_image_id_fkey not deferrable",
            "alter table imagen.jobs enable trigger user"};

    private final Connection connection;

    private TableRows(Connection connection) {
        this.connection = connection;
    }

    /** A snapshot: every table as it is at this moment. */
    public static TableRows read(DatabaseSettings settings) {
        var rows = open(settings);
        rows.execute("set transaction isolation level repeatable read, read only");
        return rows;
    }

    /** For rows to be written as they are given: until {@link #commit}, nobody else writes to jobs. */
    public static TableRows write(DatabaseSettings settings) {
        var rows = open(settings);
        rows.execute("set local lock_timeout = '5s'");
        rows.execute(AS_THEY_ARE);
        return rows;
    }

    private static TableRows open(DatabaseSettings settings) {
        try {
            var connection = Connections.openUnhurried(settings.owner());
            Connections.beginUnhurried(connection);
            return new TableRows(connection);
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    /** The version of the schema; empty where there is none. */
    public Optional<Integer> version() {
        try {
            var session = new Session(connection);
            boolean migrated = session.one("select to_regclass('imagen.flyway_schema_history') is not null as there",
                    row -> row.flag("there")).orElseThrow();
            return migrated ? session.one(VERSION, row -> row.integer("version")) : Optional.empty();
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    /** Whether the login owns the tables that there are. */
    public boolean owned() {
        try {
            return new Session(connection).one(OWNS, row -> row.flag("owns")).orElseThrow();
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    /** Whether a table has no row. */
    public boolean empty(String table) {
        try {
            return new Session(connection).one("select 1 from imagen." + table + " limit 1", _ -> true).isEmpty();
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    /** Writes all rows of a table. @return how many */
    public long copyOut(String table, OutputStream to) throws IOException {
        try {
            return connection.unwrap(PGConnection.class).getCopyAPI()
                    .copyOut("copy imagen." + table + " to stdout (format csv, header)", to);
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    /** Puts rows in place of all that a table has. @return how many */
    public long copyIn(String table, InputStream from) throws IOException {
        execute("delete from imagen." + table);
        try {
            return connection.unwrap(PGConnection.class).getCopyAPI()
                    .copyIn("copy imagen." + table + " from stdin (format csv, header match)", from);
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    /** What is done with a row. */
    @FunctionalInterface
    public interface Each {
        /** Takes it. */
        void take(Row row) throws IOException;
    }

    /** All rows of a query, one after the other, however many there are. */
    public void each(String sql, Each each) throws IOException {
        try (var statement = connection.createStatement()) {
            statement.setFetchSize(1000);
            try (var result = statement.executeQuery(sql)) {
                while (result.next()) {
                    each.take(column -> Session.value(result, column));
                }
            }
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    /** Checks what was written, and keeps it. */
    public void commit() {
        execute(AS_BEFORE);
        try {
            connection.commit();
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    private void execute(String... statements) {
        try (var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    /** What is not committed is undone. */
    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }
}
