package dev.imagen.testing;

import dev.imagen.config.Login;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;

/** A PostgreSQL of its own that a test stops and starts again on the same port and data. */
public final class RestartableServer implements AutoCloseable {

    /**
     * The library puts speed first: a crash would lose what was committed, and no test could tell whose fault it was.
     */
    private static final Map<String, String> DURABLE = Map.of("fsync", "on", "synchronous_commit", "on",
            "full_page_writes", "on");

    private final Path data;
    private final int port;
    private EmbeddedPostgres server;

    private RestartableServer(Path data, int port) {
        this.data = data;
        this.port = port;
    }

    /** Makes the data and an empty database {@code app}; the server runs. */
    public static RestartableServer running(Path data) throws IOException, SQLException {
        var server = new RestartableServer(data, freePort());
        server.start();
        try (var connection = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + server.port + "/postgres",
                "postgres", ""); var statement = connection.createStatement()) {
            statement.execute("create database app");
        }
        return server;
    }

    /** A TCP port that nobody listens on now. */
    public static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Starts it. */
    public void start() throws IOException {
        var builder = EmbeddedPostgres.builder().setDataDirectory(data).setCleanDataDirectory(false).setPort(port);
        DURABLE.forEach(builder::setServerConfig);
        server = builder.start();
    }

    /** Stops it, ending every session. */
    public void stop() throws IOException {
        server.close();
        server = null;
    }

    /** Ends it as a crash does, without a checkpoint: what {@code pg_ctl stop -m immediate} does. */
    public void crash() throws IOException, InterruptedException {
        var postmaster = ProcessHandle.of(postmaster()).orElseThrow();
        Signals.send("QUIT", postmaster.pid());
        postmaster.onExit().join();
        // Frees the library's lock on the data; there is nothing left to stop.
        stop();
    }

    /** Of its first process. */
    public long postmaster() throws IOException {
        try (var lines = Files.lines(data.resolve("postmaster.pid"))) {
            return Long.parseLong(lines.findFirst().orElseThrow().strip());
        }
    }

    /** Where {@code app} is. */
    public String url() {
        return "jdbc:postgresql://127.0.0.1:" + port + "/app";
    }

    /** A way into {@code app} for a role of the server, which asks nobody for a password. */
    public Login login(String role) {
        return new Login(url(), role, "");
    }

    /** For a service process. */
    public Map<String, String> environment() {
        return Map.of("DB_CONNECTION_URL", url(), "DB_CONNECTION_USERNAME", "postgres");
    }

    /** A connection of the test's. */
    public Connection connect() throws SQLException {
        return DriverManager.getConnection(url(), "postgres", "");
    }

    @Override
    public void close() throws IOException {
        if (server != null) {
            stop();
        }
    }
}
