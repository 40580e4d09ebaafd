package dev.imagen.bench;

import dev.imagen.api.ApiServer;
import dev.imagen.api.BearerAuthenticator;
import dev.imagen.auth.ApiKeys;
import dev.imagen.auth.JwtVerifier;
import dev.imagen.auth.Tickets;
import dev.imagen.config.ApiSettings;
import dev.imagen.database.Caller;
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

/**
 * What it costs to prove who calls: GET /jobs/{id} in mode none, with tokens and with an API key, in turns; and what it
 * costs to read a row as its owner instead of as the service.
 */
final class AccessCost {

    private static final String NONE = "get, mode none";
    private static final String SERVICE = "row as the service";
    private static final String OWNER = "row as its owner";
    private static final String ROW = "select id from imagen.jobs where id = ?::uuid";

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
            var variants = new LinkedHashMap<String, Call>();
            variants.put(NONE, get(system.port(), job, ""));
            variants.put("get, token HS256", get(guarded.port(), job, issuer.hs256(claims)));
            variants.put("get, token ES256", get(guarded.port(), job, issuer.es256(claims)));
            variants.put("get, token RS256", get(guarded.port(), job, issuer.rs256(claims)));
            variants.put("get, API key",
                    get(guarded.port(), job, keys.create("bench", Optional.of(system.owner())).key()));
            variants.put(SERVICE, () -> database.one(ROW, row -> row.uuid("id"), job).orElseThrow());
            var owner = Caller.owner(system.owner());
            variants.put(OWNER,
                    () -> database.as(owner, session -> session.one(ROW, row -> row.uuid("id"), job)).orElseThrow());
            measure(variants, warmUp);
            print(measure(variants, requests));
        }
    }

    /** Mode none changes the role as well: what that costs is the difference between the two last. */
    private static void print(Map<String, Percentiles> measured) {
        measured.forEach((name, percentiles) -> percentiles.print(name));
        double change = measured.get(OWNER).at(50) - measured.get(SERVICE).at(50);
        System.out.printf("change of role: p50 %+.2f%n", change);
        measured.forEach((name, percentiles) -> {
            if (name.startsWith("get, ") && !name.equals(NONE)) {
                double check = percentiles.at(50) - measured.get(NONE).at(50);
                System.out.printf("%s - mode none: p50 %+.2f, with the change of role %+.2f%n", name, check,
                        check + change);
            }
        });
    }

    /** What is measured. */
    @FunctionalInterface
    private interface Call {
        Object run() throws IOException, InterruptedException;
    }

    private Call get(int port, UUID job, String shown) {
        var builder = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/jobs/" + job));
        var request = (shown.isEmpty() ? builder : builder.header("Authorization", "Bearer " + shown)).build();
        return () -> {
            int status = http.send(request, BodyHandlers.ofByteArray()).statusCode();
            if (status != 200) {
                throw new IOException(request + ": status " + status);
            }
            return status;
        };
    }

    private static Map<String, Percentiles> measure(Map<String, Call> variants, int requests)
            throws IOException, InterruptedException {
        var nanos = new LinkedHashMap<String, long[]>();
        for (int i = 0; i < requests; i++) {
            for (var variant : variants.entrySet()) {
                long begin = System.nanoTime();
                variant.getValue().run();
                nanos.computeIfAbsent(variant.getKey(), _ -> new long[requests])[i] = System.nanoTime() - begin;
            }
        }
        var percentiles = new LinkedHashMap<String, Percentiles>();
        nanos.forEach((name, taken) -> percentiles.put(name, Percentiles.ofNanos(taken)));
        return percentiles;
    }
}
