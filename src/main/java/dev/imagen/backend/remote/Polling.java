package dev.imagen.backend.remote;

import dev.imagen.job.JobFailedException;
import java.time.Duration;

/**
 * Asks a server again and again what became of its work. The work is paid for, so a question that fails is repeated
 * before all of it is lost.
 */
public final class Polling {

    private static final int MOST_FAILURES = 5;

    /** Whoever wants a longer wait between two questions is asked anyway. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds(30);

    /** A question, which changes nothing. */
    @FunctionalInterface
    public interface Question<T> {
        /** Asks. */
        T ask() throws JobFailedException, InterruptedException;
    }

    private final RemoteServer server;
    private final Pace pace;
    private final Duration longest;
    private final long end;
    private Duration wait;

    /** @param longest of the work */
    public Polling(RemoteServer server, Pace pace, Duration longest) {
        this.server = server;
        this.pace = pace;
        this.longest = longest;
        this.end = System.nanoTime() + longest.toNanos();
        this.wait = pace.first();
    }

    /** Waits until it is time for the next question. @throws JobFailedException when the work takes too long */
    public void pause() throws JobFailedException, InterruptedException {
        if (System.nanoTime() - end > 0) {
            throw server.temporary("there is no picture after " + longest.toSeconds() + " s");
        }
        Thread.sleep(wait);
        wait = pace.after(wait);
    }

    /** Asks, again where that may help. */
    public <T> T ask(Question<T> question) throws JobFailedException, InterruptedException {
        for (int failures = 1;; failures++) {
            try {
                return question.ask();
            } catch (JobFailedException e) {
                if (!e.retryable() || failures == MOST_FAILURES) {
                    throw e;
                }
                wait = longer(wait, e.retryAfter().orElse(wait));
                pause();
            }
        }
    }

    private static Duration longer(Duration wait, Duration asked) {
        var bounded = asked.compareTo(LONGEST_WAIT) < 0 ? asked : LONGEST_WAIT;
        return wait.compareTo(bounded) < 0 ? bounded : wait;
    }
}
