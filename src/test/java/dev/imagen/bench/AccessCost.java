package dev.imagen.bench;

import dev.imagen.api.ApiServer;
import dev.imagen.api.BearerAuthenticator;
import dev.imagen.auth.ApiKeys;
import dev.imagen.auth.JwtVerifier;
import dev.imagen.auth.Tickets;
import dev.imagen.config.ApiSettings;
import dev.imagen.testing.TokenIssuer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** What it costs to prove who calls: GET /jobs/{id} in mode none, with tokens and with an API key, in turns. */
final class AccessCost {

    private final BenchSystem system;
    private final HttpClient http = HttpClient.newHttpClient();

    AccessCost(BenchSystem system) {
        this.system = system;
    }

    void print(int warmUp, int requests, UUID job) throws IOException, InterruptedException {
        var database = system.parts().database();
        var keys = new ApiKeys(database);
        try (var issuer = new TokenIssuer();
                var verifier = new JwtVerifier(issuer.settings());
                var guarded = ApiServer.start(system.server(), system.parts(),
                        new ApiServer.Access(
                                new BearerAuthenticator(Optional.of(verifier), keys, new Tickets(database)),
                                ApiSettings.UNLIMITED),
                        List.of())) {
            var claims = TokenIssuer.claims(system.owner()).expirationTime(Date.from(Instant.now().plusSeconds(3_600)))
                    .build();
            var variants = new LinkedHashMap<String, HttpRequest>();
            variants.put("get, mode none", request(system.port(), job, ""));
            variants.put("get, token HS256", request(guarded.port(), job, issuer.hs256(claims)));
            variants.put("get, token ES256", request(guarded.port(), job, issuer.es256(claims)));
            variants.put("get, token RS256", request(guarded.port(), job, issuer.rs256(claims)));
            variants.put("get, API key",
                    request(guarded.port(), job, keys.create("bench", Optional.of(system.owner())).key()));
            measure(variants, warmUp);
            var measured = measure(variants, requests);
            measured.forEach((name, percentiles) -> percentiles.print(name));
            double none = measured.get("get, mode none").at(50);
            measured.forEach((name, percentiles) -> System.out.printf("%s - mode none: p50 %+.2f%n", name,
                    percentiles.at(50) - none));
        }
    }

    private static HttpRequest request(int port, UUID job, String shown) {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/jobs/" + job));
        return (shown.isEmpty() ? request : request.header("Authorization", "Bearer " + shown)).build();
    }

    private Map<String, Percentiles> measure(Map<String, HttpRequest> variants, int requests)
            throws IOException, InterruptedException {
        var nanos = new LinkedHashMap<String, long[]>();
        for (int i = 0; i < requests; i++) {
            for (var variant : variants.entrySet()) {
                long begin = System.nanoTime();
                int status = http.send(variant.getValue(), BodyHandlers.ofByteArray()).statusCode();
                long took = System.nanoTime() - begin;
                if (status != 200) {
                    throw new IOException(variant.getKey() + ": status " + status);
                }
                nanos.computeIfAbsent(variant.getKey(), _ -> new long[requests])[i] = took;
            }
        }
        var percentiles = new LinkedHashMap<String, Percentiles>();
        nanos.forEach((name, taken) -> percentiles.put(name, Percentiles.ofNanos(taken)));
        return percentiles;
    }
}
