package dev.imagen.chaos;

import dev.imagen.testing.TestClient;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A client that posts one job after the other, until it is told that they are enough. */
final class Poster implements AutoCloseable {

    private static final int CREATED = 201;
    private static final long PAUSE_MILLIS = 50;
    private static final String JOB = """
            {"prompt": "posted", "width": 64, "height": 64, "steps": 4, "max_attempts": %d}
            """.formatted(Jobs.STUBBORN);

    private final TestClient client;
    private final CountDownLatch enough = new CountDownLatch(1);
    private final Queue<UUID> accepted = new ConcurrentLinkedQueue<>();
    private final Queue<String> refusals = new ConcurrentLinkedQueue<>();
    private final Thread posting = Thread.ofVirtual().name("poster").unstarted(this::postUntilEnough);

    private Poster(TestClient client) {
        this.client = client;
    }

    /** Begins; the client is closed with it. */
    static Poster start(TestClient client) {
        var poster = new Poster(client);
        poster.posting.start();
        return poster;
    }

    /** Ends with the answer that it waits for. */
    void enough() throws InterruptedException {
        enough.countDown();
        posting.join();
    }

    /** The jobs that were accepted. */
    List<UUID> accepted() {
        return List.copyOf(accepted);
    }

    /** What was answered instead. */
    List<String> refusals() {
        return List.copyOf(refusals);
    }

    private void postUntilEnough() {
        try {
            do {
                post();
            } while (!enough.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            // The scenario has failed.
        }
    }

    private void post() {
        try {
            var answer = client.submit(JOB);
            if (answer.status() == CREATED) {
                accepted.add(answer.id());
            } else {
                refusals.add(answer.status() + " " + answer.detail());
            }
        } catch (UncheckedIOException e) {
            refusals.add(e.toString() + ": " + e.getCause());
        }
    }

    @Override
    public void close() {
        posting.interrupt();
        client.close();
    }
}
