package dev.imagen.backend.remote;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.job.JobFailedException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.WebSocket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * The server of one backend. Every call either gives its answer, whatever its status, or throws a temporary failure;
 * {@link #failure} makes one of an answer. Failures name the backend and the host, and never hold the key.
 */
public final class RemoteServer {

    private static final int LONGEST_MESSAGE = 300;
    private static final int MOST_REDIRECTS = 3;

    private final RemoteHttp http;
    private final String backend;
    private final URI base;
    private final Optional<ApiKey> key;
    private final Duration longest;

    /**
     * @param backend by name
     * @param base without a slash at its end
     * @param longest of one call
     */
    public RemoteServer(RemoteHttp http, String backend, URI base, Optional<ApiKey> key, Duration longest) {
        this.http = http;
        this.backend = backend;
        this.base = base;
        this.key = key;
        this.longest = longest;
    }

    /** @param most bytes of an answer that is no error; a longer one is a permanent failure */
    public Answer get(String path, long most) throws JobFailedException, InterruptedException {
        return call("GET", path, most);
    }

    /** A call without a body, such as one that cancels. @param most as of {@link #get} */
    public Answer call(String method, String path, long most) throws JobFailedException, InterruptedException {
        return exchange(to(path).method(method, BodyPublishers.noBody()).build(), most);
    }

    /** Sends JSON. @param most as of {@link #get} */
    public Answer post(String path, JsonNode body, long most) throws JobFailedException, InterruptedException {
        return post(path, body, Map.of(), most);
    }

    /** Sends JSON, with more headers. @param most as of {@link #get} */
    public Answer post(String path, JsonNode body, Map<String, String> headers, long most)
            throws JobFailedException, InterruptedException {
        var request = posting(path, Content.json(body));
        headers.forEach(request::header);
        return exchange(request.build(), most);
    }

    /** Opens a socket. Ends in an exception where the server, or what is before it, does not agree to one. */
    public CompletableFuture<WebSocket> webSocket(String path, WebSocket.Listener listener) {
        var socket = http.webSocket();
        key.ifPresent(shown -> socket.header(shown.header(), shown.value().value()));
        return socket.buildAsync(URI.create(base.toString().replaceFirst("(?i)^http", "ws") + path), listener);
    }

    /** Sends something else. @param most as of {@link #get} */
    public Answer post(String path, Content content, long most) throws JobFailedException, InterruptedException {
        return exchange(posting(path, content).build(), most);
    }

    /**
     * The same to a server that may answer with server-sent events, or with none.
     *
     * @param most as of {@link #get}, over all events
     * @param events hears the data of each as it comes, on this thread, missing where it is no JSON; false: enough
     */
    public Answer stream(String path, Content content, long most, Predicate<JsonNode> events)
            throws JobFailedException, InterruptedException {
        var request = posting(path, content).build();
        return exchange(request, most,
                () -> http.stream(request, most, longest, data -> events.test(Answer.json(data))));
    }

    private HttpRequest.Builder posting(String path, Content content) {
        return to(path).POST(content.body()).header("Content-Type", content.type());
    }

    private HttpRequest.Builder to(String path) {
        var request = HttpRequest.newBuilder(URI.create(base + path));
        key.ifPresent(shown -> request.header(shown.header(), shown.value().value()));
        return request;
    }

    /**
     * Fetches a picture from where the server says that it is, without the key unless that is the server itself.
     *
     * @param most bytes
     * @throws JobFailedException permanent where it is no URL of http, too long, or gone
     */
    public byte[] download(String url, long most) throws JobFailedException, InterruptedException {
        var place = place(base, url);
        for (int redirects = 0;; redirects++) {
            var request = HttpRequest.newBuilder(place);
            if (sameServer(place)) {
                key.ifPresent(shown -> request.header(shown.header(), shown.value().value()));
            }
            var answer = exchange(request.build(), most);
            var moved = answer.status() / 100 == 3 ? answer.headers().firstValue("Location") : Optional.<String>empty();
            if (moved.isEmpty() || redirects == MOST_REDIRECTS) {
                return body(answer, place);
            }
            place = place(place, moved.get());
        }
    }

    private byte[] body(Answer answer, URI place) throws JobFailedException {
        if (!answer.ok()) {
            throw failure(answer, "the picture could not be fetched from " + place.getAuthority());
        }
        return answer.body();
    }

    private URI place(URI from, String url) throws JobFailedException {
        try {
            var place = from.resolve(url.strip());
            if (place.getScheme() != null && place.getScheme().toLowerCase(Locale.ROOT).matches("https?")
                    && place.getHost() != null) {
                return place;
            }
        } catch (IllegalArgumentException e) {
            // Refused below.
        }
        throw permanent("the server named a picture that is not at a URL of http or https");
    }

    private boolean sameServer(URI place) {
        return base.getScheme().equalsIgnoreCase(place.getScheme())
                && base.getRawAuthority().equalsIgnoreCase(place.getRawAuthority());
    }

    /** One call and its answer. */
    @FunctionalInterface
    private interface Exchange {
        Answer answer() throws ExecutionException, TimeoutException, InterruptedException;
    }

    private Answer exchange(HttpRequest request, long most) throws JobFailedException, InterruptedException {
        return exchange(request, most, () -> http.exchange(request, most, longest));
    }

    private Answer exchange(HttpRequest request, long most, Exchange exchange)
            throws JobFailedException, InterruptedException {
        return CallSpan.around(request, () -> answer(request, most, exchange));
    }

    private Answer answer(HttpRequest request, long most, Exchange exchange)
            throws JobFailedException, InterruptedException {
        var host = request.uri().getAuthority();
        try {
            var answer = exchange.answer();
            if (answer.ok() && answer.cut()) {
                throw permanent(host + " sent more than " + most
                        + " bytes, which is more than images.bytes (IMAGES_BYTES) leaves room for");
            }
            return answer;
        } catch (ExecutionException e) {
            throw JobFailedException.temporary(named(told(noAnswer(host, e.getCause()))), e.getCause());
        } catch (TimeoutException e) {
            throw JobFailedException
                    .temporary(named("no whole answer from " + host + " within " + longest.toSeconds() + " s"), e);
        }
    }

    private static String noAnswer(String host, Throwable cause) {
        return switch (cause) {
            case HttpConnectTimeoutException _ ->
                "no connection to " + host + " within " + RemoteHttp.CONNECT.toSeconds() + " s";
            case ConnectException failure when failure.getCause() instanceof UnresolvedAddressException ->
                "there is no host " + host;
            case ConnectException _ -> "no connection to " + host;
            default -> "no whole answer from " + host + ": " + cause.getMessage();
        };
    }

    /** What an answer that is no success makes of the attempt: temporary where the same request may succeed later. */
    public JobFailedException failure(Answer answer) {
        return failure(answer, answer.said());
    }

    /** The same, with the reason in other words than {@link Answer#said}. */
    public JobFailedException failure(Answer answer, String reason) {
        return failure(answer, reason, Optional.empty());
    }

    /** The same where the body tells how long to wait. */
    public JobFailedException failure(Answer answer, String reason, Optional<Duration> told) {
        if (!answer.retryable()) {
            return refused(answer, reason);
        }
        var message = message(answer, reason);
        return answer.retryAfter().or(() -> told.map(Answer::bounded))
                .map(wait -> JobFailedException.temporary(message, wait))
                .orElseGet(() -> JobFailedException.temporary(message));
    }

    /** The same where no repetition helps, whatever the status says. */
    public JobFailedException refused(Answer answer, String reason) {
        return JobFailedException.permanent(message(answer, reason));
    }

    private String message(Answer answer, String reason) {
        return named(base.getAuthority() + " answered " + answer.status()
                + (reason.isBlank() ? "" : ": " + told(reason)) + request(answer) + setting(answer.status()));
    }

    /** A failure that no repetition helps, said in one's own words. */
    public JobFailedException permanent(String reason) {
        return JobFailedException.permanent(named(told(reason)));
    }

    /** A failure that may be gone at the next attempt, said in one's own words. */
    public JobFailedException temporary(String reason) {
        return JobFailedException.temporary(named(told(reason)));
    }

    private String named(String what) {
        return "backend " + backend + ": " + what;
    }

    /** By which the provider finds the call in its logs. */
    private String request(Answer answer) {
        return answer.headers().firstValue("x-request-id").or(() -> answer.headers().firstValue("x-fal-request-id"))
                .map(id -> " (request " + told(id) + ")").orElse("");
    }

    private String setting(int status) {
        return switch (status) {
            case 401, 403 -> "; check " + setting("key");
            case 301, 302, 303, 307, 308, 404, 405 -> "; check " + setting("url");
            default -> "";
        };
    }

    private String setting(String name) {
        var setting = "backends." + backend + "." + name;
        return setting + " (" + setting.toUpperCase(Locale.ROOT).replace('.', '_') + ")";
    }

    /**
     * Text of a server, in one line of bounded length. One that shows what it was sent, as some gateways do when they
     * fail, would show the key; that is looked for before the text is cut, which could leave half of it.
     */
    private String told(String text) {
        var shown = text;
        if (key.isPresent()) {
            shown = shown.replace(key.get().value().value(), "***").replace(key.get().secret().value(), "***");
        }
        return cut(shown.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Zl}\\p{Zp}]+", " ").strip());
    }

    private static String cut(String text) {
        return text.codePointCount(0, text.length()) <= LONGEST_MESSAGE
                ? text
                : text.substring(0, text.offsetByCodePoints(0, LONGEST_MESSAGE)) + "…";
    }
}
