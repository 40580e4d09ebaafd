package dev.imagen.backend.automatic1111;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.automatic1111.Questions.Shown;
import dev.imagen.backend.automatic1111.Questions.Standing;
import dev.imagen.backend.automatic1111.Questions.Task;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/** Asks how far a picture is while it is drawn, on a thread of its own. */
final class PictureWatch {

    private final String task;
    private final int steps;
    private final Questions questions;
    private final AtomicReference<byte[]> preview = new AtomicReference<>();
    private volatile int step;
    private volatile boolean previewWanted;
    private volatile boolean interruptedByOthers;

    // Of the watching thread.
    private Standing standing = Standing.UNKNOWN;
    private boolean previewsCome = true;
    private int lastShown = Questions.NONE_SHOWN;

    PictureWatch(String task, int steps, Questions questions) {
        this.task = task;
        this.steps = steps;
        this.questions = questions;
    }

    /** Until it is interrupted, or no longer open. */
    void watch(BooleanSupplier open) {
        try {
            for (boolean known = false; open.getAsBoolean();) {
                // As for the end of it: there is nothing that would tell.
                Thread.sleep(questions.between());
                var now = ask();
                standing = now.standing();
                known |= standing != Standing.UNKNOWN;
                if (standing == Standing.RUNNING) {
                    reached(now.progress());
                    show(now.shown());
                } else if (!known) {
                    watchWhateverIsDrawn();
                }
            }
        } catch (InterruptedException e) {
            // The call has ended.
        }
    }

    /** There is nothing to be seen before the task is drawn. */
    private Task ask() throws InterruptedException {
        if (!previewWanted || !previewsCome || standing != Standing.RUNNING) {
            return questions.task(task);
        }
        var now = questions.taskWithPreview(task, lastShown);
        // Larger than may be read, perhaps: better steps alone than neither.
        previewsCome = now.standing() != Standing.UNKNOWN;
        return previewsCome ? now : questions.task(task);
    }

    /**
     * The server looks at the task first, and at what it draws only then: another user's picture may have begun in
     * between. A task that is still drawn afterwards was drawn all the time.
     */
    private void show(Optional<Shown> shown) throws InterruptedException {
        if (shown.isPresent() && questions.task(task).standing() == Standing.RUNNING) {
            lastShown = shown.get().id();
            preview.set(shown.get().picture());
        }
    }

    /** On a server that keeps no account of tasks: most likely it is ours. */
    private void watchWhateverIsDrawn() throws InterruptedException {
        var state = questions.state();
        int all = state.path("sampling_steps").asInt();
        if (state.path("job_count").asInt() != 0 && all > 0) {
            reached(state.path("sampling_step").asDouble() / all);
            interruptedByOthers |= ended(state);
        }
    }

    private void reached(double share) {
        step = Math.clamp(Math.round(share * steps), step, steps);
    }

    /** Steps finished, as far as is known. */
    int step() {
        return step;
    }

    /** From now on, whether somebody wants to see the picture so far. */
    void wantPreviews(boolean wanted) {
        previewWanted = wanted;
    }

    /** How it looks; empty: as before. */
    Optional<byte[]> takePreview() {
        return Optional.ofNullable(preview.getAndSet(null));
    }

    /** Whether somebody else was seen to have ended it: the server then answers with what it had so far. */
    boolean endedByOthers() throws InterruptedException {
        var state = questions.state();
        return interruptedByOthers || state.path("job").asText().isEmpty() && ended(state);
    }

    private static boolean ended(JsonNode state) {
        return state.path("interrupted").asBoolean() || state.path("stopping_generation").asBoolean()
                || state.path("skipped").asBoolean();
    }
}
