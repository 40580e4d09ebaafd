package dev.imagen.backend.remote;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Takes the beginning of a body. Unlike {@code BodyHandlers.limiting} it does not make an exception of a longer one,
 * which would hide the status and what the server said.
 */
final class FirstBytes implements BodySubscriber<FirstBytes.Body> {

    /** @param cut whether there were more */
    record Body(byte[] bytes, boolean cut) {}

    private final CompletableFuture<Body> body = new CompletableFuture<>();
    private final Consumer<byte[]> sink;
    private final Supplier<byte[]> kept;
    private final long most;
    private long taken;
    private Subscription subscription;

    private FirstBytes(long most, Consumer<byte[]> sink, Supplier<byte[]> kept) {
        this.most = most;
        this.sink = sink;
        this.kept = kept;
    }

    /** Keeps them. */
    static FirstBytes kept(long most) {
        var bytes = new ByteArrayOutputStream();
        return new FirstBytes(most, bytes::writeBytes, bytes::toByteArray);
    }

    /** Gives them away as they come. */
    static FirstBytes given(long most, Consumer<byte[]> sink) {
        return new FirstBytes(most, sink, () -> new byte[0]);
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
            byte[] bytes = new byte[(int) Math.min(buffer.remaining(), most - taken)];
            buffer.get(bytes);
            taken += bytes.length;
            sink.accept(bytes);
            if (buffer.hasRemaining()) {
                subscription.cancel();
                body.complete(new Body(kept.get(), true));
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
        body.complete(new Body(kept.get(), false));
    }
}
