package dev.imagen.backend;

import dev.imagen.job.JobFailedException;
import java.util.Optional;

/**
 * One engine that turns a request into a picture. Calls come from virtual threads, several at once; each may block, and
 * stops with an {@link InterruptedException} soon after its thread is interrupted.
 */
public interface ImageBackend {

    /** What can be asked of this backend; must not call anybody. What {@link #probe} learns may add to it. */
    BackendInfo info();

    /** How many pictures one call may ask for; whoever wants more calls again. */
    default int picturesPerCall(String model) {
        return 1;
    }

    /**
     * Asks the server whether it is there, and what it has; called at the start and from time to time.
     *
     * @throws JobFailedException when it gives no good answer, with a message for a person
     */
    default void probe() throws JobFailedException, InterruptedException {}

    /**
     * What this backend cannot do although each field by itself is within {@link #info()}, such as a prompt that is too
     * long for the model. It is asked before a job is taken, so it must not call anybody, and the picture to begin with
     * has no bytes yet.
     */
    default Optional<Refusal> refusal(ImageRequest request) {
        return Optional.empty();
    }

    /**
     * How many pictures the server has to make, whoever asked for them; 0 where it does not say.
     *
     * @throws JobFailedException when it gives no good answer
     */
    default int waiting() throws JobFailedException, InterruptedException {
        return 0;
    }

    /**
     * Makes the pictures of one request, with seeds that follow each other.
     *
     * @param request every parameter resolved, within {@link #info()} and not refused by {@link #refusal}
     * @param progress told after each step, from the calling thread
     * @throws JobFailedException when there is no picture: permanent or temporary, with a message for a person
     * @throws InterruptedException when the job was cancelled, timed out or handed back
     */
    Generation generate(ImageRequest request, Progress progress) throws JobFailedException, InterruptedException;

    /** Waits for a moment until its server was told to stop what nobody waits for any more. No calls come after it. */
    default void close() {}
}
