package dev.imagen.chaos;

import dev.imagen.testing.Tools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A disk that is full, for some processes: the system takes the first bytes of a file and refuses the rest. Unlike a
 * full disk it needs no right to mount anything. HotSpot ignores the signal that comes with it, so that a write fails.
 */
final class FileSizeLimit {

    /** Less than any picture has. */
    private static final int BYTES = 1024;

    private final Path prlimit = Tools.prlimit();

    /** From now on these cannot write a picture. */
    void set(List<Crew.Member> members) throws IOException, InterruptedException {
        setSoftLimit(members, String.valueOf(BYTES));
    }

    /** There is room again. */
    void lift(List<Crew.Member> members) throws IOException, InterruptedException {
        setSoftLimit(members, "unlimited");
    }

    /** The hard limit stays as it is: only an administrator could raise it again. */
    private void setSoftLimit(List<Crew.Member> members, String limit) throws IOException, InterruptedException {
        for (var member : members) {
            var command = new ProcessBuilder(prlimit.toString(), "--pid", String.valueOf(member.process().pid()),
                    "--fsize=" + limit + ":").inheritIO().start();
            if (!command.waitFor(10, TimeUnit.SECONDS) || command.exitValue() != 0) {
                throw new IOException("prlimit could not set the file size of " + member.name() + " to " + limit);
            }
        }
    }
}
