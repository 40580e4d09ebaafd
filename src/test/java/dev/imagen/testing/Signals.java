package dev.imagen.testing;

import java.io.IOException;

/** Signals that Java has no word for. */
final class Signals {

    private Signals() {}

    /** Sends a signal, such as {@code STOP}, to a process. */
    static void send(String signal, long pid) throws IOException, InterruptedException {
        var kill = new ProcessBuilder("kill", "-" + signal, String.valueOf(pid)).inheritIO().start();
        if (kill.waitFor() != 0) {
            throw new IOException("kill -" + signal + " " + pid + " ended with " + kill.exitValue());
        }
    }
}
