package dev.imagen.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.config.StorageSettings.Supabase;
import dev.imagen.image.ImageBytes;
import dev.imagen.storage.SupabaseApi.Answer;
import java.net.URI;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A private bucket of Supabase Storage, made by the first upload that finds it missing. */
public final class SupabaseImageStore implements ImageStore {

    private static final String KEY_SETTING = "check storage.supabase.key (STORAGE_SUPABASE_KEY), which must be a secret"
            + " key or the service_role key";
    private static final String URL_SETTING = "check storage.supabase.url (STORAGE_SUPABASE_URL)";
    private static final int PAGE = 1000;
    /** Of an image: the most that images.bytes (IMAGES_BYTES) allows. */
    private static final long MOST_BYTES = 1 << 30;

    private final SupabaseApi api;
    private final String bucket;
    private final Duration links;
    private final Retries retries;

    /** @param links how long a link is valid */
    public SupabaseImageStore(Supabase settings, Duration links) {
        this(settings, links, Retries.USUAL);
    }

    SupabaseImageStore(Supabase settings, Duration links, Retries retries) {
        this.api = new SupabaseApi(settings);
        this.bucket = settings.bucket();
        this.links = links;
        this.retries = retries;
    }

    @Override
    public String bucket() {
        return bucket;
    }

    @Override
    public Optional<URI> linkOrigin() {
        return Optional.of(ImageStore.origin(api.url("/")));
    }

    @Override
    public String place(String key) {
        return api.url("/object/authenticated/" + bucket + "/" + StorageKey.check(key)).toString();
    }

    @Override
    public void put(String key, ImageBytes picture, String mimeType) throws IOException {
        StorageKey.check(key);
        byte[] bytes = picture.joined();
        retries.run(() -> {
            upload(key, bytes, mimeType);
            verify(key, bytes);
            return null;
        });
    }

    private void upload(String key, byte[] bytes, String mimeType) throws IOException, InterruptedException {
        var answer = send(key, bytes, mimeType);
        if (answer.noBucket()) {
            makeBucket();
            answer = send(key, bytes, mimeType);
        }
        require(answer);
    }

    /** Upsert: a repetition after a lost answer finds its own bytes there. */
    private Answer send(String key, byte[] bytes, String mimeType) throws IOException, InterruptedException {
        return api.upload("/object/" + bucket + "/" + key, bytes, "Content-Type", mimeType, "x-upsert", "true",
                "cache-control", StorageKey.CACHE_CONTROL);
    }

    private void makeBucket() throws IOException, InterruptedException {
        var answer = api.post("/bucket", json().put("id", bucket).put("name", bucket).put("public", false));
        // 409: another process was quicker.
        if (!answer.ok() && answer.status() != 409) {
            throw failure(answer,
                    "there is no bucket " + bucket
                            + " and it could not be made: make it, private, name another in storage.supabase.bucket"
                            + " (STORAGE_SUPABASE_BUCKET), or " + KEY_SETTING);
        }
    }

    /** Most servers tell a size and an MD5. Where a server's tag is something else, the bytes are read back. */
    private void verify(String key, byte[] bytes) throws IOException, InterruptedException {
        var info = api.get("/object/info/" + bucket + "/" + key);
        boolean same = info.ok() && info.json().path("size").asLong(-1) == bytes.length
                && info.json().path("etag").asText().replace("\"", "").equalsIgnoreCase(Digests.md5(bytes))
                || fetch(key, bytes.length).filter(stored -> Arrays.equals(stored, bytes)).isPresent();
        if (!same) {
            throw StoreException.temporary("the store has other bytes than were sent", Optional.empty());
        }
    }

    @Override
    public Optional<byte[]> get(String key) throws IOException {
        StorageKey.check(key);
        return retries.run(() -> fetch(key, MOST_BYTES));
    }

    private Optional<byte[]> fetch(String key, long most) throws IOException, InterruptedException {
        var answer = api.get("/object/authenticated/" + bucket + "/" + key, most);
        return answer.noObject() || answer.noBucket() ? Optional.empty() : Optional.of(require(answer).body());
    }

    @Override
    public Optional<Content> content(String key) throws IOException {
        StorageKey.check(key);
        return Retries.NONE.run(() -> {
            var answer = api.post("/object/sign/" + bucket + "/" + key, json().put("expiresIn", links.toSeconds()));
            return answer.noObject() || answer.noBucket()
                    ? Optional.empty()
                    : Optional.of(new Content.Link(api.url(signedPath(require(answer))), links));
        });
    }

    /** Never a URL of somebody else's choice. */
    private static String signedPath(Answer answer) throws IOException {
        var path = answer.json().path("signedURL").asText();
        if (!path.startsWith("/object/sign/")) {
            throw StoreException.permanent("the store answered no signed URL; " + URL_SETTING);
        }
        return path;
    }

    @Override
    public List<String> keys(String prefix) throws IOException {
        StorageKey.check(prefix);
        int slash = prefix.lastIndexOf('/') + 1;
        return retries.run(() -> {
            var keys = new ArrayList<String>();
            addKeys(prefix.substring(0, slash), prefix.substring(slash), keys);
            return keys;
        });
    }

    /** What is in a folder and begins like this; what has no id is itself a folder. */
    private void addKeys(String folder, String beginning, List<String> keys) throws IOException, InterruptedException {
        int page = 0;
        JsonNode found;
        do {
            found = list(folder, beginning, page++);
            for (JsonNode entry : found) {
                var key = folder + entry.path("name").asText();
                // The server's search takes _ for any character, and does not tell small letters from capitals.
                if (!key.startsWith(folder + beginning) || !StorageKey.valid(key)) {
                    continue;
                }
                if (entry.path("id").isNull()) {
                    addKeys(key + "/", "", keys);
                } else {
                    keys.add(key);
                }
            }
        } while (found.size() == PAGE);
    }

    private JsonNode list(String folder, String beginning, int page) throws IOException, InterruptedException {
        var asked = json().put("prefix", folder).put("search", beginning).put("limit", PAGE).put("offset", page * PAGE);
        asked.putObject("sortBy").put("column", "name").put("order", "asc");
        var answer = api.post("/object/list/" + bucket, asked);
        return answer.noBucket() ? JsonNodeFactory.instance.arrayNode() : require(answer).json();
    }

    @Override
    public void delete(String key) throws IOException {
        StorageKey.check(key);
        retries.run(() -> {
            var answer = api.delete("/object/" + bucket + "/" + key);
            // Not where the bucket is missing: another project's URL would have every image taken for removed.
            return answer.noObject() ? answer : require(answer);
        });
    }

    private Answer require(Answer answer) throws StoreException {
        if (!answer.ok()) {
            throw failure(answer, advice(answer));
        }
        return answer;
    }

    private String advice(Answer answer) {
        return switch (answer.status()) {
            case 400, 401, 403 -> KEY_SETTING;
            case 404 -> answer.noBucket() ? "there is no bucket " + bucket : URL_SETTING;
            case 413 -> "raise the file size limit of the bucket " + bucket + " or of the project";
            case 415 -> "allow image/png, image/jpeg and image/webp in the bucket " + bucket;
            default -> URL_SETTING;
        };
    }

    private static StoreException failure(Answer answer, String advice) {
        var told = "Supabase Storage answered " + answer.status()
                + (answer.message().isEmpty() ? "" : " (" + answer.message() + ")");
        return Retries.transientStatus(answer.status())
                ? StoreException.temporary(told, answer.retryAfter())
                : StoreException.permanent(told + ": " + advice);
    }

    private static ObjectNode json() {
        return JsonNodeFactory.instance.objectNode();
    }

    @Override
    public void close() {
        api.close();
    }
}
