package dev.imagen.backend.remote;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;

/**
 * Takes the beginning of a body. Unlike {@code BodyHandlers.limiting} it does not make an exception of a longer one,
 * which would hide the status and what the server said.
 */
final class FirstBytes implements BodySubscriber<FirstBytes.Body> {

    /** @param cut whether there were more */
    record Body(byte[] bytes, boolean cut) {}

    private final CompletableFuture<Body> body = new CompletableFuture<>();
    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
    private final long most;
    private Subscription subscription;

    FirstBytes(long most) {
        this.most = most;
    }

    @Override
    public CompletionStage<Body> getBody() {
        return body;
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        this.subscription = subscription;
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
            byte[] bytes = new byte[(int) Math.min(buffer.remaining(), most - taken.size())];
            buffer.get(bytes);
            taken.writeBytes(bytes);
            if (buffer.hasRemaining()) {
                subscription.cancel();
                body.complete(new Body(taken.toByteArray(), true));
                return;
            }
        }
    }

    @Override
    public void onError(Throwable failure) {
        body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        body.complete(new Body(taken.toByteArray(), false));
    }
}
