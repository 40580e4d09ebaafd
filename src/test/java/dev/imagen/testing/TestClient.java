package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** Speaks HTTP and JSON with a service. Headers are given as names and values in turn. */
public final class TestClient implements AutoCloseable {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration LONGEST = Duration.ofSeconds(90);

    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI base;

    /** Of what listens on this port. */
    public TestClient(int port) {
        this.base = URI.create("http://127.0.0.1:" + port);
    }

    /** An answer, read to its end. */
    public record Answer(int status, HttpHeaders headers, byte[] bytes) {

        /** The body as JSON. */
        public JsonNode json() {
            return parse(bytes);
        }

        /** The {@code id} in the body. */
        public UUID id() {
            return UUID.fromString(json().path("id").textValue());
        }

        /** The {@code detail} of a problem. */
        public String detail() {
            return json().path("detail").asText();
        }

        /** A header that is there once; empty where it is not. */
        public String header(String name) {
            return headers.firstValue(name).orElse("");
        }
    }

    static JsonNode parse(byte[] bytes) {
        try {
            return MAPPER.readTree(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** GET. */
    public Answer get(String path, String... headers) {
        return send("GET", path, BodyPublishers.noBody(), headers);
    }

    /** POST without a body. */
    public Answer post(String path) {
        return send("POST", path, BodyPublishers.noBody());
    }

    /** POST /jobs with a body as it is. */
    public Answer submit(String body, String... headers) {
        return send("POST", "/jobs", BodyPublishers.ofString(body), headers);
    }

    /** Sends a picture. */
    public Answer upload(String path, byte[] picture, String type, String... headers) {
        var all = Stream.concat(Stream.of("Content-Type", type), Stream.of(headers)).toArray(String[]::new);
        return send("POST", path, BodyPublishers.ofByteArray(picture), all);
    }

    /** Submits a job with nothing but a prompt. @return its id */
    public UUID submit() {
        var answer = submit("{\"prompt\": \"a quiet bay\"}");
        if (answer.status() != 201) {
            throw new AssertionError(answer.status() + " " + answer.json());
        }
        return answer.id();
    }

    /** A submitted job, when it is finished. */
    public JsonNode submitAndWait(String body) {
        return submit(body, "Prefer", "wait=60").json();
    }

    /** Any request; its body is JSON unless the headers say otherwise. */
    public Answer send(String method, String path, BodyPublisher body, String... headers) {
        try {
            var request = request(path, headers).method(method, body).timeout(LONGEST);
            if (body.contentLength() != 0 && !List.of(headers).contains("Content-Type")) {
                request.header("Content-Type", "application/json");
            }
            var answer = http.send(request.build(), BodyHandlers.ofByteArray());
            return new Answer(answer.statusCode(), answer.headers(), answer.body());
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Asks for a stream of events; the service may not have opened it yet when this returns. */
    public EventReader events(String path, String... headers) {
        var reader = new EventReader();
        reader.open(http, request(path, headers).header("Accept", "text/event-stream").build());
        return reader;
    }

    private HttpRequest.Builder request(String path, String... headers) {
        var request = HttpRequest.newBuilder(base.resolve(path));
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return request;
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
