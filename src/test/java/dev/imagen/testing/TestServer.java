package dev.imagen.testing;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Migrations;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.jar.JarFile;
import org.testcontainers.containers.PostgreSQLContainer;

/**
 * The real PostgreSQL of a test run: an embedded one of the version in {@code imagen.test.postgres}, or a container
 * with {@code imagen.test.database=testcontainers}. One for the run; each test class takes a database of its own.
 */
public final class TestServer {

    private static final TestServer SHARED = new TestServer();
    private static final AtomicInteger DATABASES = new AtomicInteger();
    private static final String SERVICE = "service_login";
    private static final String TEMPLATE = "migrated";

    private final Login superuser;

    private TestServer() {
        this.superuser = System.getProperty("imagen.test.database", "embedded").equals("testcontainers")
                ? container()
                : embedded();
        try {
            execute("postgres", "create role " + SERVICE + " login password 'secret'");
            execute("postgres", "create database " + TEMPLATE);
            new Migrations(settings(TEMPLATE)).run();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The run's server. */
    public static TestServer shared() {
        return SHARED;
    }

    /** 15 or 18. */
    public static String version() {
        return System.getProperty("imagen.test.server", "18");
    }

    private static Login embedded() {
        var server = another(Map.of("max_connections", "300"));
        return new Login("jdbc:postgresql://127.0.0.1:" + server.getPort() + "/postgres", "postgres", "postgres");
    }

    /**
     * An embedded server of this run's version with nothing in it, for tests of what belongs to a whole server, such as
     * its roles. Whoever starts it closes it.
     */
    public static EmbeddedPostgres another(Map<String, String> settings) {
        try {
            var builder = EmbeddedPostgres.builder();
            settings.forEach(builder::setServerConfig);
            if (version().equals("15")) {
                builder.setPgBinaryResolver((_, _) -> oldestBinaries());
            }
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static InputStream oldestBinaries() throws IOException {
        try (var files = Files.list(Path.of(System.getProperty("imagen.test.binaries")))) {
            var jar = new JarFile(
                    files.filter(file -> file.toString().endsWith(".jar")).findFirst().orElseThrow().toFile());
            return jar.getInputStream(
                    jar.stream().filter(entry -> entry.getName().endsWith(".txz")).findFirst().orElseThrow());
        }
    }

    @SuppressWarnings("resource") // Testcontainers' reaper stops it with the run.
    private static Login container() {
        var container = new PostgreSQLContainer<>("postgres:" + version()).withUsername("postgres")
                .withCommand("postgres", "-c", "max_connections=300", "-c", "fsync=off");
        container.start();
        // Not the container's own URL: that ends in parameters, and tests take the database's name from the end.
        var url = "jdbc:postgresql://%s:%d/postgres".formatted(container.getHost(),
                container.getMappedPort(PostgreSQLContainer.POSTGRESQL_PORT));
        return new Login(url, container.getUsername(), container.getPassword());
    }

    /** A new database with the schema in it. The service's login owns nothing and is no superuser. */
    public DatabaseSettings newDatabase() throws SQLException {
        return create("template " + TEMPLATE);
    }

    /** A new database with nothing in it. */
    public DatabaseSettings emptyDatabase() throws SQLException {
        return create("");
    }

    private DatabaseSettings create(String options) throws SQLException {
        var name = "test_" + DATABASES.incrementAndGet();
        execute("postgres", "create database " + name + " " + options);
        return settings(name);
    }

    private DatabaseSettings settings(String database) {
        var defaults = SettingsLoader.load(Map.of("imagen.home", "target/no-home")).database();
        return defaults.at(new Login(url(database), SERVICE, "secret"),
                new Login(url(database), superuser.username(), superuser.password()));
    }

    private String url(String database) {
        return superuser.url().replaceFirst("(:\\d+)/\\w+", "$1/" + database);
    }

    private void execute(String database, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url(database), superuser.username(),
                superuser.password()); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
