package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.catchThrowable;

import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Progress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A call by a thread of its own. */
final class Caller {

    private final CompletableFuture<Throwable> end = new CompletableFuture<>();
    private final CompletableFuture<Generation> made = new CompletableFuture<>();
    private final LinkedBlockingQueue<String> steps = new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<byte[]> previews = new LinkedBlockingQueue<>();
    private final Thread thread;

    Caller(ImageBackend backend, ImageRequest request) {
        var heard = new Progress() {
            @Override
            public void finished(int step, int steps) {
                Caller.this.steps.add(step + "/" + steps);
            }

            @Override
            public void preview(byte[] picture) {
                previews.add(picture);
            }
        };
        thread = Thread.ofVirtual()
                .start(() -> end.complete(catchThrowable(() -> made.complete(backend.generate(request, heard)))));
    }

    void interrupt() {
        thread.interrupt();
    }

    Throwable awaitEnd() throws Exception {
        return end.get(20, TimeUnit.SECONDS);
    }

    Generation awaitPictures() throws Exception {
        var failure = awaitEnd();
        if (failure != null) {
            throw new AssertionError(failure);
        }
        return made.get();
    }

    /** Such as 3/20. */
    String awaitStep() throws InterruptedException {
        return steps.poll(20, TimeUnit.SECONDS);
    }

    byte[] awaitPreview() throws InterruptedException {
        return previews.poll(20, TimeUnit.SECONDS);
    }

    boolean heardNothing() {
        return steps.isEmpty() && previews.isEmpty();
    }
}
