package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Speaks Supabase Storage's protocol as its sources have it: every handled error but 500 is HTTP 400 and says what it
 * is in its body, signed URLs carry a JWT that expires, keys have a small alphabet. Kept in memory, under
 * {@code /storage/v1}.
 */
public final class SupabaseStorageServer implements AutoCloseable {

    /** The key of whom everything is allowed. */
    public static final String SERVICE_KEY = "sb_secret_service-key-of-a-test";
    /** A valid key that row-level security allows nothing. */
    public static final String ANON_KEY = "sb_publishable_anon-key-of-a-test";

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String BASE = "/storage/v1";
    private static final Pattern KEY = Pattern.compile("^[A-Za-z0-9_/!.*'() &$=@;:+,?-]*$");
    private static final byte[] SIGNING = "signs the URLs of a test".getBytes(StandardCharsets.UTF_8);

    /** Its bytes and what was said about them. */
    public record StoredObject(byte[] bytes, String mimeType, String cacheControl) {}

    private static final class Bucket {
        private final NavigableMap<String, StoredObject> objects = new ConcurrentSkipListMap<>();
        private volatile boolean open;
        private volatile long limit = Long.MAX_VALUE;
        private volatile Set<String> types = Set.of();
    }

    /** An error as it is rendered. */
    private static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;
        private final int statusCode;
        private final String error;

        Failure(int statusCode, String error, String message) {
            super(message);
            this.statusCode = statusCode;
            this.error = error;
        }
    }

    private final HttpServer server;
    private final Map<String, Bucket> buckets = new ConcurrentHashMap<>();
    private volatile Duration ahead = Duration.ZERO;
    private volatile boolean opaqueTags;
    private volatile boolean bucketsForbidden;

    private SupabaseStorageServer(HttpServer server) {
        this.server = server;
    }

    /** A server without buckets, on a port of its own. */
    public static SupabaseStorageServer start() throws IOException {
        var started = new SupabaseStorageServer(
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
        started.server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        started.server.createContext("/", started::handle);
        started.server.start();
        return started;
    }

    /** Where it listens. */
    public int port() {
        return server.getAddress().getPort();
    }

    /** The project's URL. */
    public String url() {
        return "http://127.0.0.1:" + port();
    }

    /** Makes a bucket, private as ours are. */
    public void makeBucket(String name) {
        buckets.put(name, new Bucket());
    }

    /** The largest object that a bucket takes, in bytes, and the types; none: all. */
    public void limit(String bucket, long size, String... types) {
        buckets.get(bucket).limit = size;
        buckets.get(bucket).types = Set.of(types);
    }

    /** From now on nobody may make a bucket. */
    public void forbidBuckets() {
        bucketsForbidden = true;
    }

    /** Its tags are not MD5s, as with encryption by a key service. */
    public void useOpaqueTags() {
        opaqueTags = true;
    }

    /** Its clock goes on by this. */
    public void advance(Duration time) {
        ahead = ahead.plus(time);
    }

    /** What is stored. */
    public Optional<StoredObject> object(String bucket, String key) {
        return Optional.ofNullable(buckets.get(bucket)).map(found -> found.objects.get(key));
    }

    /** Puts something under a key. */
    public void store(String bucket, String key) {
        buckets.get(bucket).objects.put(key, new StoredObject(new byte[]{1}, "image/png", "no-cache"));
    }

    /** All keys of a bucket. */
    public Set<String> keys(String bucket) {
        return buckets.containsKey(bucket) ? Set.copyOf(buckets.get(bucket).objects.keySet()) : Set.of();
    }

    /** Whether everybody may read a bucket. */
    public boolean open(String bucket) {
        return buckets.get(bucket).open;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            try {
                route(exchange, body);
            } catch (Failure e) {
                var told = MAPPER.createObjectNode().put("statusCode", String.valueOf(e.statusCode))
                        .put("error", e.error).put("message", e.getMessage());
                send(exchange, e.statusCode == 500 ? 500 : 400, told);
            }
        }
    }

    private void route(HttpExchange exchange, byte[] body) throws IOException, Failure {
        var path = exchange.getRequestURI().getPath();
        if (!path.startsWith(BASE + "/")) {
            // The gateway in front, whose errors are its own.
            send(exchange, 404, MAPPER.createObjectNode().put("message", "no Route matched with those values"));
            return;
        }
        var route = path.substring(BASE.length());
        var method = exchange.getRequestMethod();
        if (method.equals("GET") && route.startsWith("/object/sign/")) {
            readSigned(exchange, route.substring("/object/sign/".length()));
            return;
        }
        boolean service = authenticate(exchange);
        if (method.equals("POST") && route.equals("/bucket")) {
            createBucket(exchange, MAPPER.readTree(body), service);
        } else if (method.equals("POST") && route.startsWith("/object/list/")) {
            list(exchange, route.substring("/object/list/".length()), MAPPER.readTree(body), service);
        } else if (method.equals("POST") && route.startsWith("/object/sign/")) {
            sign(exchange, target(route, "/object/sign/"), MAPPER.readTree(body), service);
        } else if (method.equals("POST")) {
            upload(exchange, target(route, "/object/"), body, service);
        } else if (method.equals("GET") && route.startsWith("/object/info/")) {
            info(exchange, target(route, "/object/info/"), service);
        } else if (method.equals("GET") && route.startsWith("/object/authenticated/")) {
            sendBytes(exchange, find(target(route, "/object/authenticated/"), service));
        } else if (method.equals("DELETE")) {
            delete(exchange, target(route, "/object/"), service);
        } else {
            send(exchange, 404, MAPPER.createObjectNode().put("statusCode", 404).put("error", "Not Found")
                    .put("message", "Route " + method + ":" + route + " not found"));
        }
    }

    /** @return whether everything is allowed */
    private static boolean authenticate(HttpExchange exchange) throws Failure {
        var key = String.valueOf(exchange.getRequestHeaders().getFirst("apikey"));
        if (!("Bearer " + key).equals(exchange.getRequestHeaders().getFirst("Authorization"))
                || !Set.of(SERVICE_KEY, ANON_KEY).contains(key)) {
            throw new Failure(403, "Unauthorized", "Invalid Compact JWS");
        }
        return key.equals(SERVICE_KEY);
    }

    private record Target(String bucket, String key) {}

    private static Target target(String route, String prefix) throws Failure {
        var parts = route.substring(prefix.length()).split("/", 2);
        var key = parts.length == 2 ? parts[1] : "";
        if (key.isEmpty() || !KEY.matcher(key).matches()) {
            throw new Failure(400, "InvalidKey", "Invalid key: " + key);
        }
        return new Target(parts[0], key);
    }

    private void createBucket(HttpExchange exchange, JsonNode asked, boolean service) throws IOException, Failure {
        var name = asked.path("name").asText();
        if (!service || bucketsForbidden) {
            throw new Failure(403, "Unauthorized", "new row violates row-level security policy");
        }
        var bucket = new Bucket();
        bucket.open = asked.path("public").asBoolean();
        if (buckets.putIfAbsent(asked.path("id").asText(name), bucket) != null) {
            throw new Failure(409, "Duplicate", "The resource already exists");
        }
        send(exchange, 200, MAPPER.createObjectNode().put("name", name));
    }

    private void upload(HttpExchange exchange, Target target, byte[] body, boolean service)
            throws IOException, Failure {
        var bucket = bucket(target.bucket());
        var type = exchange.getRequestHeaders().getFirst("Content-Type");
        if (!service) {
            throw new Failure(403, "Unauthorized", "new row violates row-level security policy");
        }
        if (!bucket.types.isEmpty() && !bucket.types.contains(type)) {
            throw new Failure(415, "invalid_mime_type", "mime type " + type + " is not supported");
        }
        if (body.length > bucket.limit) {
            throw new Failure(413, "Payload too large", "The object exceeded the maximum allowed size");
        }
        var cacheControl = exchange.getRequestHeaders().getFirst("cache-control");
        var object = new StoredObject(body, type, cacheControl == null ? "no-cache" : cacheControl);
        if (!"true".equals(exchange.getRequestHeaders().getFirst("x-upsert"))
                && bucket.objects.containsKey(target.key())) {
            throw new Failure(409, "Duplicate", "The resource already exists");
        }
        bucket.objects.put(target.key(), object);
        send(exchange, 200, MAPPER.createObjectNode().put("Id", UUID.randomUUID().toString()).put("Key",
                target.bucket() + "/" + target.key()));
    }

    private Bucket bucket(String name) throws Failure {
        return Optional.ofNullable(buckets.get(name))
                .orElseThrow(() -> new Failure(404, "Bucket not found", "Bucket not found"));
    }

    private StoredObject find(Target target, boolean service) throws Failure {
        var object = bucket(target.bucket()).objects.get(target.key());
        if (object == null || !service) {
            throw new Failure(404, "not_found", "Object not found");
        }
        return object;
    }

    private void info(HttpExchange exchange, Target target, boolean service) throws IOException, Failure {
        var object = find(target, service);
        send(exchange, 200,
                MAPPER.createObjectNode().put("id", UUID.randomUUID().toString()).put("name", target.key())
                        .put("size", object.bytes().length).put("content_type", object.mimeType())
                        .put("cache_control", object.cacheControl()).put("etag", tag(object.bytes())));
    }

    private String tag(byte[] bytes) {
        return "\"" + HexFormat.of().formatHex(digest(opaqueTags ? "SHA-1" : "MD5", bytes)) + "\"";
    }

    private static byte[] digest(String algorithm, byte[] bytes) {
        try {
            return MessageDigest.getInstance(algorithm).digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void delete(HttpExchange exchange, Target target, boolean service) throws IOException, Failure {
        find(target, service);
        buckets.get(target.bucket()).objects.remove(target.key());
        send(exchange, 200, MAPPER.createObjectNode().put("message", "Successfully deleted"));
    }

    /** One folder, by names that begin like the search; what is below a folder is one entry without an id. */
    private void list(HttpExchange exchange, String name, JsonNode asked, boolean service) throws IOException {
        var folder = asked.path("prefix").asText();
        folder = folder.isEmpty() || folder.endsWith("/") ? folder : folder + "/";
        var entries = new TreeSet<String>();
        for (String key : service ? keys(name) : Set.<String>of()) {
            if (key.startsWith(folder)) {
                var rest = key.substring(folder.length());
                int slash = rest.indexOf('/');
                var entry = slash < 0 ? rest : rest.substring(0, slash + 1);
                if (entry.toLowerCase().startsWith(asked.path("search").asText().toLowerCase())) {
                    entries.add(entry);
                }
            }
        }
        ArrayNode answer = MAPPER.createArrayNode();
        entries.stream().skip(asked.path("offset").asInt()).limit(asked.path("limit").asInt(100))
                .forEach(entry -> answer.addObject().put("name", entry.replace("/", "")).put("id",
                        entry.endsWith("/") ? null : UUID.randomUUID().toString()));
        send(exchange, 200, answer);
    }

    private void sign(HttpExchange exchange, Target target, JsonNode asked, boolean service)
            throws IOException, Failure {
        find(target, service);
        var url = target.bucket() + "/" + target.key();
        var claims = MAPPER.createObjectNode().put("url", url).put("scope", "download")
                .put("iat", now().getEpochSecond())
                .put("exp", now().getEpochSecond() + asked.path("expiresIn").asLong());
        var signed = base64("{\"alg\":\"HS256\",\"typ\":\"JWT\"}") + "." + base64(claims.toString());
        send(exchange, 200, MAPPER.createObjectNode().put("signedURL",
                "/object/sign/" + url + "?token=" + signed + "." + signature(signed)));
    }

    private void readSigned(HttpExchange exchange, String url) throws IOException, Failure {
        var query = String.valueOf(exchange.getRequestURI().getQuery());
        var parts = query.replaceFirst("^token=", "").split("\\.");
        if (parts.length != 3 || !signature(parts[0] + "." + parts[1]).equals(parts[2])) {
            throw new Failure(400, "InvalidJWT", "signature verification failed");
        }
        var claims = MAPPER.readTree(Base64.getUrlDecoder().decode(parts[1]));
        if (claims.path("exp").asLong() <= now().getEpochSecond()) {
            throw new Failure(400, "InvalidJWT", "\"exp\" claim timestamp check failed");
        }
        if (!claims.path("url").asText().equals(url)) {
            throw new Failure(400, "InvalidSignature", "The url do not match the signature");
        }
        sendBytes(exchange, find(target("/object/sign/" + url, "/object/sign/"), true));
    }

    private Instant now() {
        return Instant.now().plus(ahead);
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String signature(String signed) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(SIGNING, "HmacSHA256"));
            return Base64.getUrlEncoder().withoutPadding()
                    .encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private void sendBytes(HttpExchange exchange, StoredObject object) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", object.mimeType());
        exchange.getResponseHeaders().set("Cache-Control", object.cacheControl());
        exchange.getResponseHeaders().set("ETag", tag(object.bytes()));
        exchange.sendResponseHeaders(200, object.bytes().length);
        exchange.getResponseBody().write(object.bytes());
    }

    private static void send(HttpExchange exchange, int status, JsonNode json) throws IOException {
        byte[] bytes = json.toString().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
