package dev.imagen.backend.remote;

import dev.imagen.job.JobFailedException;
import io.opentelemetry.context.Context;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Work that a server goes on with when nobody waits for it any more. It is ended by threads of its own: whoever cancels
 * a job does not wait for its server.
 */
public final class RemoteWork {

    private static final System.Logger LOG = System.getLogger(RemoteWork.class.getName());

    /** That a stopping process waits for servers to be told. */
    private static final Duration AT_THE_END = Duration.ofSeconds(3);

    /** Tells the server that nobody waits. */
    @FunctionalInterface
    public interface End<T> {
        /** @param work what tells which */
        void tell(T work) throws JobFailedException, InterruptedException;
    }

    private final Duration patience;
    private final Set<Thread> telling = ConcurrentHashMap.newKeySet();

    /** @param pace that says how long an answer that nobody waits for is waited for */
    public RemoteWork(Pace pace) {
        this.patience = pace.patience();
    }

    /**
     * Begins work. When the caller is interrupted before the answer, the call goes on without it for a moment, and what
     * it began is ended: without the answer nobody knows what to end.
     *
     * @param call that begins work
     * @param end of what such an answer tells of
     */
    public Answer begin(Callable<Answer> call, End<Answer> end) throws JobFailedException, InterruptedException {
        if (Thread.interrupted()) {
            // Before anything is sent that would cost something.
            throw new InterruptedException();
        }
        var begun = new FutureTask<>(call);
        Thread.ofVirtual().name("imagen-remote-begin").start(Context.current().wrap(begun));
        try {
            return begun.get();
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        } catch (InterruptedException e) {
            tell(() -> endUnseen(begun, end));
            throw e;
        }
    }

    private static JobFailedException failure(Throwable cause) {
        if (cause instanceof JobFailedException failed) {
            return failed;
        }
        throw new IllegalStateException("a call ends with an answer or a failure", cause);
    }

    private void endUnseen(FutureTask<Answer> begun, End<Answer> end) throws JobFailedException, InterruptedException {
        try {
            end.tell(begun.get(patience.toMillis(), TimeUnit.MILLISECONDS));
        } catch (ExecutionException e) {
            // Nothing was begun, as far as anybody knows.
        } catch (TimeoutException e) {
            begun.cancel(true);
        }
    }

    /** Ends work that is known. */
    public <T> void end(T work, End<T> end) {
        tell(() -> end.tell(work));
    }

    /** As {@link End}, whatever the work. */
    @FunctionalInterface
    private interface Telling {
        void tell() throws JobFailedException, InterruptedException;
    }

    private void tell(Telling what) {
        var thread = Thread.ofVirtual().name("imagen-remote-end").unstarted(Context.current().wrap(() -> {
            try {
                what.tell();
            } catch (JobFailedException e) {
                LOG.log(Level.WARNING, "work that nobody waits for any more goes on: {0}", e.getMessage());
            } catch (InterruptedException e) {
                // The process ends.
            } finally {
                telling.remove(Thread.currentThread());
            }
        }));
        telling.add(thread);
        thread.start();
    }

    /** Waits for a moment until servers were told. */
    public void close() {
        long end = System.nanoTime() + AT_THE_END.toNanos();
        try {
            for (Thread thread : telling) {
                thread.join(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
