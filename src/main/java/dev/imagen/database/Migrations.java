package dev.imagen.database;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationVersion;
import org.flywaydb.database.postgresql.PostgreSQLConfigurationExtension;

/** Brings the schema up to date. Replicas that start together wait for each other. */
public final class Migrations {

    private static final System.Logger LOG = System.getLogger(Migrations.class.getName());

    private static final String INVALID_AUTHORIZATION = "28";
    private static final String NO_SUCH_DATABASE = "3D000";

    private static final String HISTORY_SECURITY = """
            do $$
            begin
                if not (select relrowsecurity from pg_class where oid = 'imagen.flyway_schema_history'::regclass) then
                    alter table imagen.flyway_schema_history enable row level security;
                end if;
                if not exists (select from pg_trigger where tgrelid = 'imagen.flyway_schema_history'::regclass
                                                        and tgname = 'refuse_truncate') then
                    create trigger refuse_truncate before truncate on imagen.flyway_schema_history
                        for each statement execute function imagen.refuse_truncate();
                end if;
            end
            $$""";

    /** The service does its own work with the rights of service_role, and becomes an owner only by SET ROLE. */
    private static final String SERVICE_MEMBERSHIP = """
            do $$
            declare
                service text := current_setting('imagen.service');
                modern boolean := current_setting('server_version_num')::int >= 160000;
                wanted text;
                sql text;
            begin
                foreach wanted in array array['service_role', 'authenticated'] loop
                    continue when pg_has_role(service, wanted, case when wanted = 'service_role' then 'USAGE'
                                                                    when modern then 'SET'
                                                                    else 'MEMBER' end);
                    sql := format('grant %I to %I', wanted, service)
                           || case when not modern then ''
                                   when wanted = 'service_role' then ' with set true, inherit true'
                                   else ' with set true, inherit false' end;
                    begin
                        execute sql;
                    exception
                        -- Memberships belong to the server: another database's migration was faster.
                        when unique_violation or internal_error then null;
                        when insufficient_privilege then
                            raise exception 'the login % may not grant role "%" to the login %',
                                            current_user, wanted, service
                                using errcode = 'insufficient_privilege',
                                      hint = format('Ask an administrator to run: %s;', sql);
                    end;
                end loop;
            end
            $$""";

    private static final String LOCK_NOT_AVAILABLE = "55P03";

    /**
     * While a migration waits for a table, everybody else waits behind it, heartbeats among them: a worker stops its
     * jobs 10 s after the last one that it sent, and sends one every 3 s.
     */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

    private final DatabaseSettings settings;
    private final Duration longestWait;
    private final String[] locations;

    /** Migrates with {@code settings.owner()}. */
    public Migrations(DatabaseSettings settings) {
        this(settings, LONGEST_WAIT, "classpath:sql");
    }

    Migrations(DatabaseSettings settings, Duration longestWait, String... locations) {
        this.settings = settings;
        this.longestWait = longestWait;
        this.locations = locations.clone();
    }

    /**
     * Applies what is missing and lets the service's login act as the roles.
     *
     * @return the number of migrations applied
     * @throws MigrationException when a migration or the login fails: the message says what to change
     * @throws DatabaseException when the server cannot be reached, or a table was in use for too long
     */
    public int run() {
        return upTo(MigrationVersion.LATEST);
    }

    /** The same, and no further than this version, for rows of that version. */
    public int run(int version) {
        return upTo(MigrationVersion.fromVersion(String.valueOf(version)));
    }

    /** The version that {@link #run()} leads to. */
    public int latest() {
        try {
            return Stream.of(flyway(settings.owner(), MigrationVersion.LATEST).info().all())
                    .filter(MigrationInfo::isVersioned)
                    .mapToInt(migration -> Integer.parseInt(migration.getVersion().getVersion())).max().orElseThrow();
        } catch (FlywayException e) {
            throw failure(e);
        }
    }

    private int upTo(MigrationVersion target) {
        var owner = settings.owner();
        try (Connection connection = Connections.open(owner, settings.timeout())) {
            new FormerSchema(connection).refuse();
            return migrate(connection, owner, target);
        } catch (SQLException e) {
            throw failure(e, owner);
        }
    }

    /**
     * What a takeover did.
     *
     * @param applied migrations
     * @param rows what became of the former rows, for people; empty: there were none
     */
    public record TakenOver(int applied, List<String> rows) {}

    /** As {@link #run}, and takes over the tables of an earlier worker: docs/backup.md. */
    public TakenOver takeOver() {
        var owner = settings.owner();
        try (Connection connection = Connections.openUnhurried(owner)) {
            var former = new FormerSchema(connection);
            former.moveAside();
            int applied = migrate(connection, owner, MigrationVersion.LATEST);
            return new TakenOver(applied, former.copy());
        } catch (SQLException e) {
            throw failure(e, owner);
        }
    }

    private int migrate(Connection connection, Login owner, MigrationVersion target) throws SQLException {
        int applied = migrate(owner, target);
        if (applied > 0) {
            LOG.log(Level.INFO, "schema imagen: {0} migrations applied", applied);
        }
        finish(connection);
        return applied;
    }

    private Flyway flyway(Login owner, MigrationVersion target) {
        var configuration = Flyway.configure().dataSource(owner.url(), owner.username(), owner.password())
                .locations(locations).schemas("imagen").createSchemas(true).placeholderReplacement(false)
                .connectRetries(0).target(target);
        // A pooler takes neither start-up options nor locks that last longer than a transaction.
        if (!settings.pooler() || settings.migration().isPresent()) {
            configuration.jdbcProperties(Map.of("options", "-c lock_timeout=" + longestWait.toMillis()));
            // Its lock is no open transaction then: create index concurrently would wait for that to end.
            configuration.getConfigurationExtension(PostgreSQLConfigurationExtension.class).setTransactionalLock(false);
        }
        return configuration.load();
    }

    private int migrate(Login owner, MigrationVersion target) {
        try {
            return flyway(owner, target).migrate().migrationsExecuted;
        } catch (FlywayException e) {
            throw failure(e);
        }
    }

    private static RuntimeException failure(FlywayException e) {
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && LOCK_NOT_AVAILABLE.equals(sql.getSQLState())) {
                return inUse(sql);
            }
            if (cause instanceof SQLException sql && mayPass(sql)) {
                return new DatabaseException(sql);
            }
        }
        return new MigrationException(e);
    }

    /** A server that is away comes back; a wrong password, or a database that does not exist, stays wrong. */
    private static RuntimeException failure(SQLException e, Login login) {
        var state = String.valueOf(e.getSQLState());
        if (state.startsWith(INVALID_AUTHORIZATION) || state.equals(NO_SUCH_DATABASE)) {
            return new MigrationException("cannot log in as " + login + ": " + e.getMessage()
                    + "; check db.connection and db.migration (DB_CONNECTION_…, DB_MIGRATION_…)", e);
        }
        if (state.equals(LOCK_NOT_AVAILABLE)) {
            return inUse(e);
        }
        return mayPass(e) ? new DatabaseException(e) : new MigrationException(e);
    }

    private static DatabaseException inUse(SQLException e) {
        return new DatabaseException("a table that is to be changed is in use, and nobody is to wait behind a migration"
                + " for long: it gave up, changed nothing and may be run again, best when no backup and no long"
                + " transaction is under way: " + e.getMessage(), e);
    }

    /** No connection, a server that stops, no room for another session, a deadlock. */
    private static boolean mayPass(SQLException e) {
        var state = String.valueOf(e.getSQLState());
        return new DatabaseException(e).lost() || state.startsWith("53") || state.startsWith("40");
    }

    /** What is no version of the schema: who owns and who serves differ from one installation to the next. */
    private void finish(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement()) {
            // Two replicas that grant the same at once would fail with "tuple concurrently updated".
            statement.execute("select pg_advisory_xact_lock(hashtext('imagen migrations'))");
            statement.execute(HISTORY_SECURITY);
            if (!settings.owner().equals(settings.service())) {
                grantRoles(connection, serviceRole());
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    /** As the server calls it: behind a pooler, the login's name may be longer than the role's. */
    private String serviceRole() {
        try (Connection connection = Connections.open(settings.service(), settings.timeout());
                var statement = connection.createStatement();
                var result = statement.executeQuery("select current_user")) {
            result.next();
            return result.getString(1);
        } catch (SQLException e) {
            throw failure(e, settings.service());
        }
    }

    private static void grantRoles(Connection connection, String service) throws SQLException {
        try (var statement = connection.prepareStatement("select set_config('imagen.service', ?, true)")) {
            statement.setString(1, service);
            statement.execute();
        }
        try (var statement = connection.createStatement()) {
            statement.execute(SERVICE_MEMBERSHIP);
        }
    }
}
