package dev.imagen.testing;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import java.sql.Array;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A migrated database of its own for a test class: {@code @RegisterExtension static final TestDatabase DB = new
 * TestDatabase();}. Properties know no extensions: they open and close it themselves.
 */
public final class TestDatabase implements BeforeAllCallback, AfterAllCallback {

    private static final String CLIENTS = " to anon, authenticated, service_role";

    /** Supabase's guide to custom schemas, word for word. */
    private static final List<String> CUSTOM_SCHEMA = List.of("GRANT USAGE ON SCHEMA imagen" + CLIENTS,
            "GRANT ALL ON ALL TABLES IN SCHEMA imagen" + CLIENTS,
            "GRANT ALL ON ALL ROUTINES IN SCHEMA imagen" + CLIENTS,
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA imagen" + CLIENTS,
            "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA imagen GRANT ALL ON TABLES" + CLIENTS,
            "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA imagen GRANT ALL ON ROUTINES" + CLIENTS,
            "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA imagen GRANT ALL ON SEQUENCES" + CLIENTS);

    private final boolean grantAll;
    private DatabaseSettings settings;
    private Database database;

    /** One as its migrations leave it. */
    public TestDatabase() {
        this(false);
    }

    private TestDatabase(boolean grantAll) {
        this.grantAll = grantAll;
    }

    /**
     * One where somebody followed Supabase's guide to custom schemas, which grants ALL on everything to every client.
     */
    public static TestDatabase grantedToAll() {
        return new TestDatabase(true);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws SQLException {
        if (!nested(context)) {
            open();
        }
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (!nested(context)) {
            close();
        }
    }

    /** One without the schema, open. */
    public static TestDatabase empty() throws SQLException {
        return at(TestServer.shared().emptyDatabase());
    }

    /** One that is there, open. */
    public static TestDatabase at(DatabaseSettings known) throws SQLException {
        var there = new TestDatabase();
        there.open(known);
        return there;
    }

    /** Makes the database. */
    public void open() throws SQLException {
        open(TestServer.shared().newDatabase());
    }

    private void open(DatabaseSettings made) throws SQLException {
        settings = made;
        database = new Database(settings);
        if (grantAll) {
            grantToAll();
        }
    }

    /** Follows Supabase's guide to custom schemas. */
    public void grantToAll() throws SQLException {
        execute(CUSTOM_SCHEMA.toArray(String[]::new));
    }

    /** The tables of the schema, by name. */
    public List<String> tables() throws SQLException {
        return rows("select relname::text from pg_class where relnamespace = 'imagen'::regnamespace"
                + " and relkind in ('r', 'p', 'v', 'm', 'f') order by 1").stream()
                .map(row -> (String) row.get("relname")).toList();
    }

    /** Ends the service's pool, if it was opened: where the server did not start, only that is to be told. */
    public void close() {
        if (database != null) {
            database.close();
        }
    }

    /** JUnit calls extensions of a class for its nested classes too; they share its database. */
    private static boolean nested(ExtensionContext context) {
        return context.getRequiredTestClass().isAnnotationPresent(Nested.class);
    }

    /** How the service connects. */
    public DatabaseSettings settings() {
        return settings;
    }

    /** The same for a pool of this many connections. */
    public DatabaseSettings settings(int pool) {
        return settings(settings.service(), pool);
    }

    /** The same for another way to the server. */
    public DatabaseSettings settings(Login service, int pool) {
        return new DatabaseSettings(Optional.of(service), settings.migration(), settings.migrate(),
                settings.listenerUrl(), settings.listen(), settings.pooler(), pool, settings.timeout());
    }

    /** The service's pool. */
    public Database database() {
        return database;
    }

    /** A plain connection as superuser, past every policy. */
    public Connection superuser() throws SQLException {
        return open(settings.owner());
    }

    /** A plain connection in a transaction as an owner, as PostgREST makes one; roll it back or commit it. */
    public Connection as(UUID owner) throws SQLException {
        var connection = open(settings.service());
        connection.setAutoCommit(false);
        try (var statement = connection.prepareStatement("select set_config('request.jwt.claims', ?, true)")) {
            statement.setString(1, Caller.owner(owner).claims());
            statement.execute();
        }
        try (var statement = connection.createStatement()) {
            statement.execute("set local role authenticated");
        }
        return connection;
    }

    private static Connection open(Login login) throws SQLException {
        return DriverManager.getConnection(login.url(), login.username(), login.password());
    }

    /** Runs statements as superuser and commits. */
    public void execute(String... statements) throws SQLException {
        try (var connection = superuser(); var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** The rows of a query as superuser, by column. */
    public List<Map<String, Object>> rows(String sql, Object... parameters) throws SQLException {
        try (var connection = superuser(); var statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            try (var result = statement.executeQuery()) {
                return rows(result);
            }
        }
    }

    /** What is left of a result, by column. */
    public static List<Map<String, Object>> rows(ResultSet result) throws SQLException {
        var rows = new ArrayList<Map<String, Object>>();
        while (result.next()) {
            var row = new LinkedHashMap<String, Object>();
            for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                row.put(result.getMetaData().getColumnLabel(i), value(result, i));
            }
            rows.add(row);
        }
        return rows;
    }

    /** An array as a list: the driver's own are all different. */
    private static Object value(ResultSet result, int column) throws SQLException {
        var value = result.getObject(column);
        return value instanceof Array array ? List.of((Object[]) array.getArray()) : value;
    }

    /** The only row of a query as superuser. */
    public Map<String, Object> row(String sql, Object... parameters) throws SQLException {
        var rows = rows(sql, parameters);
        if (rows.size() != 1) {
            throw new AssertionError(rows.size() + " rows instead of one: " + sql);
        }
        return rows.getFirst();
    }

    /** The row of a job. */
    public Map<String, Object> job(UUID id) throws SQLException {
        return row("select * from imagen.jobs where id = ?", id);
    }

    /** Inserts a pending job for an owner as superuser. @return its id */
    public UUID insertJob(UUID owner) throws SQLException {
        return (UUID) row("insert into imagen.jobs (owner_user_id, prompt) values (?, 'a test') returning id", owner)
                .get("id");
    }

    /** Removes all rows, pauses and limits: for tests that count. */
    public void clear() throws SQLException {
        execute("truncate imagen.jobs, imagen.images, imagen.usage, imagen.workers, imagen.job_progress, imagen.pauses,"
                + " imagen.queue_samples cascade",
                "update imagen.limits set pending_per_owner = null, budget_usd = null");
    }
}
