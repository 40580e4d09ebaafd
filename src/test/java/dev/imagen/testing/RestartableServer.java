package dev.imagen.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;

/** A PostgreSQL of its own that a test stops and starts again on the same port and data. */
public final class RestartableServer implements AutoCloseable {

    private final Path data;
    private final int port;
    private EmbeddedPostgres server;

    /** Makes the data and an empty database {@code app}; the server does not run yet. */
    public RestartableServer(Path data) throws IOException, SQLException {
        this.data = data;
        this.port = freePort();
        start();
        try (var connection = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/postgres",
                "postgres", ""); var statement = connection.createStatement()) {
            statement.execute("create database app");
        }
        stop();
    }

    /** A TCP port that nobody listens on now. */
    public static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Starts it. */
    public void start() throws IOException {
        server = EmbeddedPostgres.builder().setDataDirectory(data).setCleanDataDirectory(false).setPort(port).start();
    }

    /** Stops it, ending every session. */
    public void stop() throws IOException {
        server.close();
        server = null;
    }

    /** For a service process. */
    public Map<String, String> environment() {
        return Map.of("DB_CONNECTION_URL", "jdbc:postgresql://127.0.0.1:" + port + "/app", "DB_CONNECTION_USERNAME",
                "postgres");
    }

    /** A connection of the test's. */
    public Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/app", "postgres", "");
    }

    @Override
    public void close() throws IOException {
        if (server != null) {
            stop();
        }
    }
}
