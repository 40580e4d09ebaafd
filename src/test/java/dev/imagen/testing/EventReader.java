package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Reads one stream of server-sent events as a browser's EventSource would, without a thread of its own: a test may open
 * thousands.
 */
public final class EventReader implements AutoCloseable {

    /** What a stream brings. */
    public sealed interface Item {}

    /** An event with its JSON. */
    public record Event(String name, Optional<String> id, JsonNode data) implements Item {
        /** The {@code status} in the data. */
        public String status() {
            return data.path("status").asText();
        }
    }

    /** The service ended the stream. */
    public record End() implements Item {}

    /** The connection broke. */
    public record Broken(String why) implements Item {}

    private final BlockingQueue<Item> items = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> comments = new LinkedBlockingQueue<>();
    private final CompletableFuture<Integer> status = new CompletableFuture<>();
    private final Lines lines = new Lines();
    private CompletableFuture<HttpResponse<Void>> answer;
    private Event last;

    void open(HttpClient client, HttpRequest request) {
        answer = client.sendAsync(request, info -> {
            status.complete(info.statusCode());
            return BodyHandlers.fromLineSubscriber(lines).apply(info);
        });
        answer.exceptionally(failure -> {
            status.completeExceptionally(failure);
            return null;
        });
    }

    /** The status of the answer. */
    public int status() {
        return status.join();
    }

    /** Waits for the next event. */
    public Event next() {
        var next = Await.next(items, "an event after " + last);
        if (next instanceof Event event) {
            last = event;
            return event;
        }
        throw new AssertionError(next + " instead of an event after " + last);
    }

    /** Waits for the next event of this name, past others. */
    public Event next(String name) {
        var event = next();
        while (!event.name().equals(name)) {
            event = next();
        }
        return event;
    }

    /** Waits for the next state of a job that has this status, past older ones. */
    public Event awaitStatus(String wanted) {
        var event = next("status");
        while (!event.status().equals(wanted)) {
            event = next("status");
        }
        return event;
    }

    /** All states of jobs until one has this status, and that one. */
    public List<Event> until(String wanted) {
        var states = new ArrayList<Event>();
        do {
            states.add(next("status"));
        } while (!states.getLast().status().equals(wanted));
        return states;
    }

    /** Waits for whatever is next: an event, or the end. */
    public Item item() {
        return Await.next(items, "an event or the end of the stream");
    }

    /** Waits for the next comment. */
    public String comment() {
        return Await.next(comments, "a comment");
    }

    /** Whether everything that came was taken. */
    public boolean empty() {
        return items.isEmpty();
    }

    /** Goes away, as a client does. */
    @Override
    public void close() {
        lines.cancel();
        answer.cancel(true);
    }

    /** The parser of the specification: WHATWG HTML, section 9.2.6. */
    private final class Lines implements Flow.Subscriber<String> {

        private final StringBuilder data = new StringBuilder();
        private Optional<String> id = Optional.empty();
        private String name = "message";
        private volatile Flow.Subscription subscription;

        @Override
        public void onSubscribe(Flow.Subscription begun) {
            subscription = begun;
            begun.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(String line) {
            if (line.isEmpty()) {
                dispatch();
            } else if (line.startsWith(":")) {
                comments.add(line.substring(1).strip());
            } else {
                field(line);
            }
        }

        private void field(String line) {
            int colon = line.indexOf(':');
            var value = line.substring(colon + 1).stripLeading();
            switch (line.substring(0, colon)) {
                case "data" -> data.append(value);
                case "id" -> id = Optional.of(value);
                case "event" -> name = value;
                default -> throw new AssertionError("not a field of an event: " + line);
            }
        }

        private void dispatch() {
            if (!data.isEmpty()) {
                items.add(new Event(name, id, TestClient.parse(data.toString().getBytes(StandardCharsets.UTF_8))));
            }
            data.setLength(0);
            id = Optional.empty();
            name = "message";
        }

        private void cancel() {
            if (subscription != null) {
                subscription.cancel();
            }
        }

        @Override
        public void onError(Throwable failure) {
            items.add(new Broken(failure.toString()));
        }

        @Override
        public void onComplete() {
            items.add(new End());
        }
    }
}
