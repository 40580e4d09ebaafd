package dev.imagen.bench;

import dev.imagen.testing.RestartableServer;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;

/** The PostgreSQL of all measurements: defaults, but for more memory; each measurement has a database of its own. */
final class BenchServer implements AutoCloseable {

    static final String DATABASE = "measured";

    private final RestartableServer server;

    private BenchServer(RestartableServer server) {
        this.server = server;
    }

    static BenchServer start(Path folder) throws IOException, SQLException {
        var started = new BenchServer(RestartableServer.running(folder));
        started.execute("app", "alter system set shared_buffers = '512MB'");
        started.server.stop();
        started.server.start();
        return started;
    }

    /** A fresh database, as {@code template} is. */
    void create(String name, String template) throws SQLException {
        execute("postgres", "drop database if exists " + name + " with (force)");
        execute("postgres", "create database " + name + " template " + template + " strategy file_copy");
    }

    /** So that nothing of what was filled in is still to be done while it is measured. */
    void tidy(String database) throws SQLException {
        execute(database, "vacuum analyze");
        execute(database, "checkpoint");
    }

    void execute(String database, String sql) throws SQLException {
        try (var connection = DriverManager.getConnection(url(database));
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    String url(String database) {
        return server.url().replaceFirst("app$", database) + "?user=postgres";
    }

    /** Of its first process. */
    long pid() throws IOException {
        return server.postmaster();
    }

    @Override
    public void close() throws IOException {
        server.stop();
    }
}
