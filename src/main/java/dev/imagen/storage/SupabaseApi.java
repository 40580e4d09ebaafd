package dev.imagen.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.imagen.config.StorageSettings.Supabase;
import dev.imagen.job.RetryAfter;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Speaks HTTP with Supabase Storage. Its errors are 400 whatever they are about; what they are is in the body. */
final class SupabaseApi implements AutoCloseable {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Duration CONNECT = Duration.ofSeconds(10);
    /** Of a whole exchange with a picture: enough for 10 MB on a slow line. */
    private static final Duration LONG = Duration.ofMinutes(2);
    /** Of one without. */
    private static final Duration SHORT = Duration.ofSeconds(20);
    private static final int LONGEST_MESSAGE = 200;
    /** Of an answer without a picture, in bytes: a page of a listing is the longest. */
    private static final int MOST_JSON = 8 * 1024 * 1024;

    /** How it says that an object or its bucket is not there; a gateway that knows no such path says it otherwise. */
    private static final Set<String> NO_OBJECT = Set.of("not_found", "NoSuchKey");
    private static final Set<String> NO_BUCKET = Set.of("Bucket not found", "NoSuchBucket");

    private final Supabase settings;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT)
            .executor(Executors.newVirtualThreadPerTaskExecutor()).build();

    SupabaseApi(Supabase settings) {
        this.settings = settings;
    }

    /**
     * @param status what the body tells, where it does, and otherwise that of the response
     * @param error the code of an error; may be empty
     * @param message what the error says, in one line
     */
    record Answer(int status, String error, String message, byte[] body, Optional<Duration> retryAfter) {

        boolean ok() {
            return status / 100 == 2;
        }

        boolean noObject() {
            return status == 404 && NO_OBJECT.contains(error);
        }

        boolean noBucket() {
            return status == 404 && NO_BUCKET.contains(error);
        }

        JsonNode json() {
            return parse(body);
        }
    }

    /** The URL of a path, for clients that get there by themselves. */
    URI url(String path) {
        return URI.create(settings.url() + path);
    }

    /** Every call throws a {@link StoreException} when there is no answer at all. */
    Answer get(String path) throws IOException, InterruptedException {
        return get(path, MOST_JSON);
    }

    /** @param most bytes that an answer may have */
    Answer get(String path, long most) throws IOException, InterruptedException {
        return answer(exchange(request("GET", path, BodyPublishers.noBody()).build(), LONG, most));
    }

    Answer delete(String path) throws IOException, InterruptedException {
        return answer(exchange(request("DELETE", path, BodyPublishers.noBody()).build(), SHORT, MOST_JSON));
    }

    Answer post(String path, JsonNode body) throws IOException, InterruptedException {
        return answer(exchange(request("POST", path, BodyPublishers.ofString(body.toString()))
                .header("Content-Type", "application/json").build(), SHORT, MOST_JSON));
    }

    /** @param headers names and values in turn */
    Answer upload(String path, byte[] bytes, String... headers) throws IOException, InterruptedException {
        return answer(exchange(request("POST", path, BodyPublishers.ofByteArray(bytes)).headers(headers).build(), LONG,
                MOST_JSON));
    }

    private HttpRequest.Builder request(String method, String path, BodyPublisher body) {
        return HttpRequest.newBuilder(url(path)).method(method, body).header("apikey", settings.key().value())
                .header("Authorization", "Bearer " + settings.key().value());
    }

    /** Not HttpClient's own timeout, which would end with the headers of a response. */
    private HttpResponse<byte[]> exchange(HttpRequest request, Duration longest, long most)
            throws IOException, InterruptedException {
        var exchange = http.sendAsync(request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), most));
        try {
            return exchange.get(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw StoreException.temporary(noAnswer() + ": " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw StoreException.temporary(noAnswer() + " within " + longest.toSeconds() + " s", e);
        } finally {
            exchange.cancel(true);
        }
    }

    private String noAnswer() {
        return "no answer from " + settings.url().getAuthority();
    }

    private Answer answer(HttpResponse<byte[]> response) {
        int status = response.statusCode();
        if (status / 100 == 2) {
            return new Answer(status, "", "", response.body(), Optional.empty());
        }
        var body = parse(response.body());
        int told = body.path("statusCode").asInt(status);
        return new Answer(told >= 400 && told < 600 ? told : status, body.path("error").asText(), message(body),
                response.body(), response.headers().firstValue("Retry-After").flatMap(RetryAfter::of));
    }

    /** A server that shows what it was sent, as some gateways do when they fail, would show the key. */
    private String message(JsonNode body) {
        var message = body.path("message").asText(body.path("error").asText()).replace(settings.key().value(), "***")
                .replaceAll("\\p{Cntrl}+", " ").strip();
        return message.length() > LONGEST_MESSAGE ? message.substring(0, LONGEST_MESSAGE) + "…" : message;
    }

    private static JsonNode parse(byte[] body) {
        try {
            var json = MAPPER.readTree(body);
            return json == null ? MissingNode.getInstance() : json;
        } catch (IOException e) {
            return MissingNode.getInstance();
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
