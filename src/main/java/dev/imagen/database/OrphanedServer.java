package dev.imagen.database;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What {@code postmaster.pid} says of a server on a data folder. A killed process leaves its server running; since the
 * folder's lock is ours by then, nobody but clients of the dead process can be using it.
 */
final class OrphanedServer {

    private static final System.Logger LOG = System.getLogger(OrphanedServer.class.getName());
    private static final int PID_LINE = 0;
    private static final int PORT_LINE = 3;

    private OrphanedServer() {}

    /** Stops a server that a crash left behind; does nothing where there is none. */
    static void stop(Path data) throws IOException {
        var orphan = line(data, PID_LINE).flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)))
                .filter(OrphanedServer::isPostgres);
        if (orphan.isEmpty()) {
            return;
        }
        long pid = orphan.get().pid();
        LOG.log(Level.INFO, "stopping the embedded PostgreSQL that an earlier process left running (pid {0})",
                String.valueOf(pid));
        // Interrupt asks for a fast shutdown; SIGTERM would wait for the clients to leave.
        new ProcessBuilder("kill", "-INT", String.valueOf(pid)).inheritIO().start();
        try {
            orphan.get().onExit().get(60, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("an earlier server (pid " + pid + ") does not stop", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while an earlier server stops", e);
        }
    }

    /** The port that the server on this folder listens on. */
    static Optional<Integer> port(Path data) {
        return line(data, PORT_LINE).map(Integer::valueOf);
    }

    /** A process number is used again after a restart of the machine: stop nothing else. */
    private static boolean isPostgres(ProcessHandle process) {
        return process.info().command().map(command -> Path.of(command).getFileName().toString())
                .filter(name -> name.startsWith("postgres")).isPresent();
    }

    private static Optional<String> line(Path data, int number) {
        try {
            List<String> lines = Files.readAllLines(data.resolve("postmaster.pid"));
            return lines.size() > number ? Optional.of(lines.get(number).strip()) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
