package dev.imagen.database;

import dev.imagen.config.Login;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A real PostgreSQL that runs beside this process and keeps its data in {@code <home>/postgres}: for a machine that has
 * none. Listens on the loopback address only, with passwords that stand in {@code <home>/postgres/pgpass}.
 */
public final class EmbeddedPostgres implements AutoCloseable {

    static final String OWNER = "postgres";
    static final String SERVICE = "imagen";
    static final String DATABASE = "imagen";

    private static final System.Logger LOG = System.getLogger(EmbeddedPostgres.class.getName());

    /** The library is made for tests and puts speed first; this is data that people keep. */
    private static final Map<String, String> DURABLE = Map.of("fsync", "on", "synchronous_commit", "on",
            "full_page_writes", "on");

    private static final Map<String, String> SERVER = Map.of("listen_addresses", "127.0.0.1", "unix_socket_directories",
            "", "max_connections", "100", "logging_collector", "on", "log_directory", "log", "log_filename",
            "postgresql-%a.log", "log_truncate_on_rotation", "on", "log_rotation_age", "1d");

    private final DataFolder folder;
    private final io.zonky.test.db.postgres.embedded.EmbeddedPostgres server;
    private final PasswordFile passwords;

    private EmbeddedPostgres(DataFolder folder, io.zonky.test.db.postgres.embedded.EmbeddedPostgres server,
            PasswordFile passwords) {
        this.folder = folder;
        this.server = server;
        this.passwords = passwords;
    }

    /**
     * Starts the server, creating its data at the first start.
     *
     * @param home {@code imagen.home}
     * @throws EmbeddedPostgresException when another process uses the folder, or the server cannot start
     */
    public static EmbeddedPostgres start(Path home) {
        var folder = DataFolder.lock(home.resolve("postgres"));
        try {
            DataVersion.check(folder);
            OrphanedServer.stop(folder.data());
            var passwords = PasswordFile.in(folder.path());
            var embedded = new EmbeddedPostgres(folder, launch(folder, passwords), passwords);
            try {
                embedded.createDatabase();
            } catch (SQLException e) {
                embedded.server.close();
                throw e;
            }
            return embedded;
        } catch (EmbeddedPostgresException e) {
            folder.close();
            throw e;
        } catch (IOException | SQLException | RuntimeException e) {
            folder.close();
            throw new EmbeddedPostgresException("the embedded PostgreSQL did not start: " + e.getMessage()
                    + "; its log is in " + folder.data().resolve("log")
                    + "; or set db.connection.url (DB_CONNECTION_URL) to a server of your own", e);
        }
    }

    private static io.zonky.test.db.postgres.embedded.EmbeddedPostgres launch(DataFolder folder, PasswordFile passwords)
            throws IOException {
        var builder = io.zonky.test.db.postgres.embedded.EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(folder.path().resolve("server").toFile()).setDataDirectory(folder.data())
                .setCleanDataDirectory(false).setRegisterShutdownHook(false)
                // A crash may have left much to recover.
                .setPGStartupWait(Duration.ofMinutes(2))
                // Options of initdb: no locale of the machine, and passwords instead of trust.
                .setLocaleConfig("locale", "C").setLocaleConfig("auth-host", "scram-sha-256")
                .setLocaleConfig("pwfile", passwords.initial().toString())
                .setConnectConfig("password", passwords.password());
        DURABLE.forEach(builder::setServerConfig);
        SERVER.forEach(builder::setServerConfig);
        try {
            return builder.start();
        } finally {
            Files.delete(passwords.initial());
        }
    }

    private void createDatabase() throws SQLException {
        try (Connection connection = server.getPostgresDatabase().getConnection();
                var statement = connection.createStatement()) {
            statement.execute("""
                    do $$
                    begin
                        if not exists (select from pg_roles where rolname = '%1$s') then
                            create role %1$s login;
                        end if;
                    end
                    $$""".formatted(SERVICE));
            statement.execute("alter role %s password '%s'".formatted(SERVICE, passwords.password()));
            try (var found = statement.executeQuery("select from pg_database where datname = '" + DATABASE + "'")) {
                if (found.next()) {
                    return;
                }
            }
            statement.execute("create database " + DATABASE);
        }
    }

    /** The login of the running server on this folder, if a process of this machine has one. */
    public static Optional<EmbeddedLogins> running(Path home) {
        var folder = home.resolve("postgres");
        if (!DataFolder.locked(folder)) {
            return Optional.empty();
        }
        return OrphanedServer.port(folder.resolve("data")).map(port -> new EmbeddedLogins(port, folder));
    }

    /** How to reach this server. */
    public EmbeddedLogins logins() {
        return new EmbeddedLogins(server.getPort(), folder.path());
    }

    /** Stops the server, letting no statement go on, and frees the folder. */
    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the embedded PostgreSQL did not stop cleanly; it recovers at the next start", e);
        } finally {
            folder.close();
        }
    }

    /** The service's and the owner's way in. */
    public record EmbeddedLogins(int port, Path folder) {

        /** The service's login: no superuser, owns nothing. */
        public Login service() {
            return login(SERVICE);
        }

        /** The login that migrates. */
        public Login owner() {
            return login(OWNER);
        }

        /** For psql; the password stays in its file. */
        public String psqlUrl() {
            return "postgresql://" + SERVICE + "@127.0.0.1:" + port + "/" + DATABASE + "?passfile="
                    + folder.resolve("pgpass").toUri().getRawPath();
        }

        private Login login(String user) {
            return new Login("jdbc:postgresql://127.0.0.1:" + port + "/" + DATABASE, user,
                    PasswordFile.in(folder).password());
        }
    }

    static List<String> durableSettings() {
        return List.copyOf(DURABLE.keySet());
    }
}
