package dev.imagen.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.imagen.testing.SampleImages;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/**
 * Requests as they are and as nobody should send them: each part is at times what the API wants, at times something
 * near it, at times noise.
 */
final class RandomRequests {

    private static final List<String> METHODS = List.of("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS",
            "TRACE", "get", "BREW");

    private static final List<String> NAMES = List.of("prompt", "negative_prompt", "backend", "model", "style", "width",
            "height", "steps", "seed", "priority", "run_at", "max_attempts", "params", "count", "input_image_id",
            "strength", "id", "idempotency_key", "owner_user_id", "status", "attempt", "Prompt", "__proto__");

    private static final List<String> VALUES = List.of("null", "true", "0", "-1", "1", "16", "64", "8193", "1e3", "1.5",
            "9007199254740992", "1e400", "-0", "\"\"", "\" \"", "\"mock\"", "\"mock-1\"", "\"ink\"", "\"2026-01-01\"",
            "\"9999-12-31T23:59:59Z\"", "\"+1000000000-01-01T00:00:00Z\"", "\"\\u0000\"", "\"\\ud800\"", "\"𝒳\"", "[]",
            "{}", "[[[[[[[[[[1]]]]]]]]]]", "\"' or 1=1 --\"", "\"a\\nb\"", "\"" + "x".repeat(33_000) + "\"");

    /** All that the service describes of itself, and what it leaves out. */
    private static final List<String> PATHS = Stream.concat(documented(), Stream.of("/openapi", "/observe/health",
            "/observe/health/live", "/observe/health/ready", "/observe/health/started", "/observe/metrics", "/"))
            .toList();

    /** Whole ones, cut ones, and what only begins like one. */
    private static final List<byte[]> PICTURES = List.of(SampleImages.png(16, 16), SampleImages.jpeg(16, 16),
            SampleImages.LOSSY_WEBP, SampleImages.ANIMATED_WEBP, SampleImages.pngOf(30_000, 30_000, 1 << 20),
            SampleImages.pngOf(16, 16, 1 << 20), Arrays.copyOf(SampleImages.png(16, 16), 40),
            Arrays.copyOf(SampleImages.png(16, 16), 2_000), Arrays.copyOf(SampleImages.LOSSLESS_WEBP, 20));

    private static final List<String> BODIES = List.of("", "{", "[]", "null", "{}", "\"a\"", "{\"prompt\":\"a\"} x",
            "{\"prompt\":\"a\",\"prompt\":\"b\"}", "{\"prompt\":\"a\", \"width\":64, \"height\":64}", "\u0000",
            "\ufeff{}", "[".repeat(5_000), "{\"a\":".repeat(2_000), "x".repeat(300_000));

    private static final List<String> HEADERS = List.of("Accept: text/event-stream", "Accept: ", "Accept: */*;q=x",
            "Accept: a/b, , c", "Content-Type: text/plain", "Content-Type: ;;;", "Content-Type: image/png",
            "Content-Type: image/webp", "Content-Type: application/json; charset=x", "Content-Encoding: gzip",
            "Prefer: wait=1", "Prefer: wait=-1", "Prefer: wait=99999999999999999999",
            "Prefer: wait=, respond-async; x=\"", "Idempotency-Key: ", "Idempotency-Key: a",
            "Idempotency-Key: \u00e9\u00ff", "Last-Event-ID: 1", "Last-Event-ID: -1",
            "Last-Event-ID: 99999999999999999999", "Last-Event-ID: 2026-01-01T00:00:00Z_x",
            "Last-Event-ID: +999999999-12-31T23:59:59Z_a", "If-None-Match: *", "If-None-Match: \"", "Range: bytes=0-",
            "Expect: 100-continue", "X-Forwarded-For: 1.2.3.4", "Cookie: a=b", "Origin: http://evil.example",
            "Upgrade: h2c", "Connection: keep-alive, Upgrade", "Accept-Encoding: br, gzip", "Authorization: Bearer x",
            "X-Long: " + "y".repeat(9_000), "X-Empty:", "X: \u0001");

    private final String authorization;
    private final List<String> ids;

    /**
     * @param authorization of somebody, to be shown most of the time
     * @param ids of jobs and images, somebody else's among them
     */
    RandomRequests(String authorization, List<String> ids) {
        this.authorization = authorization;
        this.ids = ids;
    }

    private static Stream<String> documented() {
        try (var document = RandomRequests.class.getResourceAsStream("/META-INF/openapi.yaml")) {
            return Pattern.compile("(?m)^  (/\\S*):$").matcher(new String(document.readAllBytes(), UTF_8)).results()
                    .map(path -> path.group(1)).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A request as it is sent. */
    record Request(byte[] bytes) {

        /** Without the query. */
        String path() {
            return new String(bytes, UTF_8).split(" ", 3)[1].replaceFirst("(?s)\\?.*", "");
        }

        @Override
        public String toString() {
            var text = new String(bytes, UTF_8);
            return text.substring(0, Math.min(text.length(), 4_000));
        }
    }

    Arbitrary<Request> requests() {
        return Combinators
                .combine(Arbitraries.frequencyOf(Tuple.of(9, Arbitraries.of("GET", "POST", "DELETE")),
                        Tuple.of(1, Arbitraries.of(METHODS))), targets(), headers(), bodies(), framings())
                .as(RandomRequests::request);
    }

    private Arbitrary<String> targets() {
        var id = Arbitraries.frequencyOf(Tuple.of(8, Arbitraries.of(ids)), Tuple.of(2, segments()));
        var known = Combinators.combine(Arbitraries.of(PATHS), id).as((path, value) -> path.replace("{id}", value));
        var strange = segments().list().ofMinSize(0).ofMaxSize(5).map(parts -> "/" + String.join("/", parts));
        var paths = Arbitraries.frequencyOf(Tuple.of(8, known), Tuple.of(2, strange));
        return Combinators
                .combine(paths, Arbitraries.frequencyOf(Tuple.of(6, Arbitraries.just("")), Tuple.of(4, queries())))
                .as(String::concat);
    }

    private static Arbitrary<String> segments() {
        var noise = Arbitraries.strings().withCharRange('!', '~').ofMaxLength(12).map(text -> text.replace("?", ""));
        return Arbitraries.frequencyOf(Tuple.of(6, noise),
                Tuple.of(4,
                        Arbitraries.of("..", ".", "%2e%2e", "%2f", "%00", "%zz", "%", "%c0%af", "%ff", "jobs", "images",
                                ";a=b", "1-1-1-1-1", "00000000-0000-0000-0000-000000000000", "\u00e9", "'", "\\",
                                "x".repeat(3_000))));
    }

    private Arbitrary<String> queries() {
        var names = Arbitraries.of("status", "limit", "cursor", "from", "to", "group", "owner_user_id", "ticket",
                "last_event_id", "x", "", "%zz", "%00");
        var known = Arbitraries.of("done", "pending", "1", "200", "201", "-1", "day", "model", "2026-01-31", "", "%00",
                "+", "%F0%9F%98%80", "MjAyNi0xMS0yNFQyMjoxNToyMS43NTA0MjFa", "2026-01-01T00:00:00Z",
                "-999999999-01-01T00:00:00Z", "'", "%zz");
        var values = Arbitraries.frequencyOf(Tuple.of(6, known), Tuple.of(2, Arbitraries.of(ids)),
                Tuple.of(2, segments().map(text -> text.replace("#", ""))));
        return Combinators.combine(names, values).as((name, value) -> name + "=" + value).list().ofMinSize(1)
                .ofMaxSize(3).map(pairs -> "?" + String.join("&", pairs));
    }

    private Arbitrary<String> headers() {
        var shown = Arbitraries.frequencyOf(
                Tuple.of(9, Arbitraries.just("Authorization: Bearer " + authorization + "\r\n")),
                Tuple.of(1, Arbitraries.of("", "Authorization: Bearer a.b.c\r\n", "Authorization: Basic x\r\n",
                        "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n", "Authorization: Bearer imagen_x\r\n")));
        var others = Arbitraries
                .frequencyOf(Tuple.of(6, Arbitraries.just(Set.<String>of())),
                        Tuple.of(4, Arbitraries.of(HEADERS).set().ofMinSize(1).ofMaxSize(3)))
                .map(lines -> lines.stream().map(line -> line + "\r\n").collect(Collectors.joining()));
        return Combinators.combine(shown, others).as(String::concat);
    }

    private Arbitrary<byte[]> bodies() {
        var values = Arbitraries.frequencyOf(Tuple.of(9, Arbitraries.of(VALUES)),
                Tuple.of(1, Arbitraries.of(ids).map(id -> "\"" + id + "\"")));
        var fields = Combinators.combine(Arbitraries.of(NAMES), values).as((name, value) -> "\"" + name + "\":" + value)
                .list().ofMaxSize(4);
        var jobs = fields
                .map(list -> "{\"prompt\":\"a bay\"" + (list.isEmpty() ? "" : ",") + String.join(",", list) + "}");
        var texts = Arbitraries.frequencyOf(Tuple.of(5, Arbitraries.just("")), Tuple.of(3, jobs),
                Tuple.of(1, Arbitraries.of(BODIES)), Tuple.of(1, Arbitraries.strings().ofMaxLength(50)));
        return Arbitraries.frequencyOf(Tuple.of(19, texts.map(text -> text.getBytes(UTF_8))),
                Tuple.of(1, Arbitraries.of(PICTURES)));
    }

    /** How the end of the body is told. */
    enum Framing {
        LENGTH, CHUNKS, NONE, BOTH
    }

    private static Arbitrary<Framing> framings() {
        return Arbitraries.frequency(Tuple.of(17, Framing.LENGTH), Tuple.of(1, Framing.CHUNKS),
                Tuple.of(1, Framing.NONE), Tuple.of(1, Framing.BOTH));
    }

    private static Request request(String method, String target, String headers, byte[] content, Framing framing) {
        var type = headers.contains("Content-Type") ? "" : "Content-Type: application/json\r\n";
        var length = content.length == 0 && framing == Framing.LENGTH && method.equals("GET")
                ? ""
                : "Content-Length: " + content.length + "\r\n";
        var chunked = "Transfer-Encoding: chunked\r\n";
        var head = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + type + switch (framing) {
            case LENGTH -> length;
            case CHUNKS -> chunked;
            case NONE -> "Connection: close\r\n";
            case BOTH -> length + chunked;
        } + "\r\n";
        var sent = new ByteArrayOutputStream();
        sent.writeBytes(head.getBytes(UTF_8));
        switch (framing) {
            case LENGTH -> sent.writeBytes(content);
            case CHUNKS, BOTH -> {
                if (content.length > 0) {
                    sent.writeBytes((Integer.toHexString(content.length) + "\r\n").getBytes(UTF_8));
                    sent.writeBytes(content);
                    sent.writeBytes("\r\n".getBytes(UTF_8));
                }
                sent.writeBytes("0\r\n\r\n".getBytes(UTF_8));
            }
            case NONE -> {
                // The head alone.
            }
        }
        return new Request(sent.toByteArray());
    }
}
