package dev.imagen.backend.automatic1111;

import dev.imagen.backend.Progress;
import dev.imagen.backend.automatic1111.Questions.Standing;
import dev.imagen.backend.automatic1111.Questions.Task;
import dev.imagen.backend.remote.Answer;
import dev.imagen.job.JobFailedException;
import io.opentelemetry.context.Context;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One call for a picture. It has a thread of its own, since the server draws on after a client has gone: while the call
 * is open, and only then, one can tell that it is still drawn, and end it.
 */
final class PictureCall {

    private static final long TICK = TimeUnit.MILLISECONDS.toNanos(250);

    /** A request that was just sent may not have been read. */
    private static final int QUESTIONS_BEFORE_UNKNOWN = 3;

    /** What ends sooner than an interrupt may take is left to end: the next picture could be another user's. */
    private static final double TOO_LATE_SECONDS = 1;

    /** The call itself. */
    @FunctionalInterface
    interface Post {
        Answer send() throws JobFailedException, InterruptedException;
    }

    private final String task;
    private final int steps;
    private final Questions questions;
    private final PictureWatch watch;
    private final CompletableFuture<Answer> answer = new CompletableFuture<>();
    private final Thread sender;
    private final Thread watcher;

    private PictureCall(String task, int steps, Questions questions, Post post) {
        this.task = task;
        this.steps = steps;
        this.questions = questions;
        this.watch = new PictureWatch(task, steps, questions);
        this.sender = Thread.ofVirtual().name("imagen-automatic1111-call")
                .unstarted(Context.current().wrap(() -> send(post)));
        this.watcher = Thread.ofVirtual().name("imagen-automatic1111-progress")
                .unstarted(() -> watch.watch(() -> !answer.isDone()));
    }

    /**
     * Calls.
     *
     * @param task by which the server knows the call, where it keeps account of tasks
     * @param steps that it will take
     */
    static PictureCall start(String task, int steps, Questions questions, Post post) {
        var call = new PictureCall(task, steps, questions, post);
        call.sender.start();
        call.watcher.start();
        return call;
    }

    private void send(Post post) {
        try {
            answer.complete(post.send());
        } catch (Throwable e) {
            answer.completeExceptionally(e);
        } finally {
            watcher.interrupt();
        }
    }

    /**
     * Waits for the answer, and tells how far it is meanwhile.
     *
     * @throws TimeoutException after {@code longest}; then, and when interrupted, the call is still open
     */
    Answer await(Progress progress, Duration longest)
            throws JobFailedException, InterruptedException, TimeoutException {
        long end = System.nanoTime() + longest.toNanos();
        for (int told = 0;;) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                throw new TimeoutException();
            }
            try {
                return answer.get(Math.min(left, TICK), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                told = tell(progress, told);
            } catch (ExecutionException e) {
                throw failure(e.getCause());
            }
        }
    }

    /** @return the last step that was told */
    private int tell(Progress progress, int told) {
        int step = watch.step();
        if (step > told) {
            progress.finished(step, steps);
        }
        watch.takePreview().ifPresent(progress::preview);
        watch.wantPreviews(progress.previewWanted());
        return step;
    }

    private static JobFailedException failure(Throwable cause) {
        if (cause instanceof JobFailedException failed) {
            return failed;
        }
        throw new IllegalStateException("a call ends with an answer or a failure", cause);
    }

    /** Whether the server has answered, or will not. */
    boolean ended() {
        return answer.isDone();
    }

    /** Whether somebody else ended it: the server then answers with what it had so far, and does not say so. */
    boolean endedByOthers() throws InterruptedException {
        return watch.endedByOthers();
    }

    /**
     * Gives the open call up, and ends what the server draws if that is known to be for this call; while others are
     * before it, waits until they are not.
     */
    void leave() {
        try {
            for (int unknown = 0; unknown < QUESTIONS_BEFORE_UNKNOWN && !ended();) {
                var now = questions.task(task);
                if (now.standing() == Standing.RUNNING) {
                    interrupt(now);
                    return;
                }
                unknown = now.standing() == Standing.QUEUED ? 0 : unknown + 1;
                // The web UI tells nobody: it has to be asked.
                Thread.sleep(questions.between());
            }
        } catch (InterruptedException e) {
            // Nobody does; then the connection is closed below.
        } finally {
            sender.interrupt();
            watcher.interrupt();
        }
    }

    private void interrupt(Task now) throws InterruptedException {
        boolean late = now.progress() > 0 && now.secondsLeft() < TOO_LATE_SECONDS;
        if (!late && !ended()) {
            questions.interrupt();
        }
    }
}
