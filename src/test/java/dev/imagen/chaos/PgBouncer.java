package dev.imagen.chaos;

import dev.imagen.config.Login;
import dev.imagen.testing.RestartableServer;
import dev.imagen.testing.Tools;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A real PgBouncer in transaction mode. It has fewer sessions than its clients have connections, so that none of them
 * keeps one.
 */
final class PgBouncer implements AutoCloseable {

    /** It takes any name for its own user's, as the server does with any password. */
    private static final String CONFIG = """
            [databases]
            %s = host=%s port=%d dbname=%1$s user=%s
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = %d
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 4
            server_login_retry = 1
            """;

    /** It refuses to run as root. */
    private static final List<String> OTHER_USER = "root".equals(System.getProperty("user.name"))
            ? List.of("-u", "nobody")
            : List.of();

    private final Path program = Tools.pgbouncer();
    private final Login server;
    private final Path config;
    private final Path log;
    private final int port = RestartableServer.freePort();
    private Process process;

    private PgBouncer(Login server, Path folder) throws IOException {
        this.server = server;
        this.config = folder.resolve("pgbouncer.ini");
        this.log = folder.resolve("pgbouncer.log");
    }

    /** Starts one that keeps its files in this folder. */
    static PgBouncer before(Login server, Path folder) throws IOException {
        var pooler = new PgBouncer(server, folder);
        var target = URI.create(server.url().substring("jdbc:".length()));
        Files.writeString(pooler.config, CONFIG.formatted(target.getPath().substring(1), target.getHost(),
                target.getPort(), server.username(), pooler.port));
        pooler.start();
        return pooler;
    }

    /** The way through it. */
    Login login() {
        return new Login(server.url().replaceFirst(":\\d+/", ":" + port + "/"), server.username(), server.password());
    }

    /** Starts it again, and does not wait until it answers. */
    void start() throws IOException {
        var command = new ArrayList<>(List.of(program.toString()));
        command.addAll(OTHER_USER);
        command.add(config.toString());
        process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())).start();
    }

    /** SIGTERM: it ends at once, whatever runs. */
    void stop() throws InterruptedException {
        process.destroy();
        process.waitFor();
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
