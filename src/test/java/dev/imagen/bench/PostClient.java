package dev.imagen.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.UUID;
import java.util.regex.Pattern;

/** Posts jobs and watches each one's stream. */
final class PostClient {

    private static final Pattern LOCATION = Pattern.compile("/jobs/[0-9a-f-]+");

    private final String base;
    private final HttpClient http = HttpClient.newHttpClient();

    PostClient(int port) {
        this.base = "http://127.0.0.1:" + port;
    }

    Percentiles measure(int jobs) throws IOException, InterruptedException {
        var nanos = new long[jobs];
        for (int i = 0; i < jobs; i++) {
            LatencyBenchmark.gap();
            long begin = System.nanoTime();
            awaitDone(post());
            nanos[i] = System.nanoTime() - begin;
        }
        return Percentiles.ofNanos(nanos);
    }

    /** A finished job. */
    UUID done() throws IOException, InterruptedException {
        var location = post();
        awaitDone(location);
        return UUID.fromString(location.replaceFirst(".*/", ""));
    }

    /** @return the job's Location */
    String post() throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(base + "/jobs")).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\": \"a quiet bay\"}")).build();
        var location = http.send(request, BodyHandlers.ofString()).headers().firstValue("Location").orElseThrow();
        if (!LOCATION.matcher(location).matches()) {
            throw new IOException("unexpected Location " + location);
        }
        return location;
    }

    private void awaitDone(String location) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(base + location + "/events")).build();
        try (var lines = http.send(request, BodyHandlers.ofLines()).body()) {
            if (lines.noneMatch(line -> line.startsWith("data: ") && line.contains("\"status\":\"done\""))) {
                throw new IOException("the stream ended without done");
            }
        }
    }
}
