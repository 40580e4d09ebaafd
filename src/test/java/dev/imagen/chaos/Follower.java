package dev.imagen.chaos;

import dev.imagen.testing.EventReader;
import dev.imagen.testing.TestClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A client that reads the stream of all jobs, opens it anew where the service ended it, as a browser does, and asks for
 * each job that is done.
 */
final class Follower implements AutoCloseable {

    private static final int OK = 200;

    private final TestClient client;
    private final Set<UUID> ended = ConcurrentHashMap.newKeySet();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Thread following = Thread.ofVirtual().name("follower").unstarted(this::follow);
    private volatile int streams;

    private Follower(TestClient client) {
        this.client = client;
    }

    /** Begins; the client is closed with it. */
    static Follower start(TestClient client) {
        var follower = new Follower(client);
        follower.following.start();
        return follower;
    }

    /** Jobs whose end it was told. */
    Set<UUID> ended() {
        return Set.copyOf(ended);
    }

    /** Streams that it has opened. */
    int streams() {
        return streams;
    }

    /** What came instead of a stream that goes on or ends as it should. */
    List<String> failures() {
        return List.copyOf(failures);
    }

    private void follow() {
        Optional<String> last = Optional.empty();
        try {
            while (!Thread.interrupted() && failures.isEmpty()) {
                last = read(last);
            }
        } catch (RuntimeException | AssertionError e) {
            failures.add(e.toString());
        }
    }

    /** One stream. @return the id of the last event */
    private Optional<String> read(Optional<String> since) {
        var headers = new ArrayList<String>();
        since.ifPresent(id -> headers.addAll(List.of("Last-Event-ID", id)));
        try (var reader = client.events("/jobs/events", headers.toArray(String[]::new))) {
            if (reader.status() != OK) {
                failures.add("status " + reader.status());
            }
            streams++;
            return readToEnd(reader, since);
        }
    }

    private Optional<String> readToEnd(EventReader reader, Optional<String> since) {
        var last = since;
        while (true) {
            switch (reader.item()) {
                case EventReader.Event event -> {
                    last = event.id().isPresent() ? event.id() : last;
                    if (event.status().equals("done")) {
                        look(event.data().path("id").textValue());
                    }
                }
                case EventReader.End() -> {
                    return last;
                }
                case EventReader.Broken broken -> {
                    failures.add(broken.toString());
                    return last;
                }
            }
        }
    }

    private void look(String job) {
        var answer = client.get("/jobs/" + job);
        if (answer.status() != OK) {
            failures.add("status " + answer.status() + " of a job that was told");
        }
        ended.add(UUID.fromString(job));
    }

    @Override
    public void close() {
        following.interrupt();
        client.close();
    }
}
