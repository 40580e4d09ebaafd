package dev.imagen.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.landscape.LandscapePicture;
import dev.imagen.image.PngChunks;
import dev.imagen.storage.ImageStore.Content;
import dev.imagen.testing.PngFile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.MessageDigest;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every store holds to, each test on a store of its own. */
@Timeout(60)
abstract class ImageStoreContract {

    static final String KEY = "00000000-0000-4000-8000-000000000001/2026/11/job-1.png";
    static final String PNG = "image/png";
    static final byte[] BYTES = {1, 2, 3};

    abstract ImageStore store();

    /** Lets no put of {@link #KEY} succeed. */
    abstract void breakStore() throws IOException;

    /** Ends that. */
    abstract void mendStore() throws IOException;

    void put(String... keys) throws IOException {
        for (String key : keys) {
            store().put(key, BYTES, PNG);
        }
    }

    static byte[] random(int length) {
        var bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    /** What a client gets. */
    static byte[] follow(Content content) throws Exception {
        return switch (content) {
            case Content.Stream(var bytes, var length) -> {
                try (bytes) {
                    var read = bytes.readAllBytes();
                    assertThat(read).hasSize((int) length);
                    yield read;
                }
            }
            case Content.Link link -> {
                var response = fetch(link.url());
                assertThat(response.statusCode()).as("GET %s", link).isEqualTo(200);
                assertThat(response.headers().firstValue("Content-Type")).contains(PNG);
                yield response.body();
            }
        };
    }

    static HttpResponse<byte[]> fetch(URI url) throws Exception {
        try (var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            return http.send(HttpRequest.newBuilder(url).build(), BodyHandlers.ofByteArray());
        }
    }

    @Test
    void what_was_put_is_got() throws Exception {
        store().put(KEY, BYTES, PNG);
        assertThat(store().get(KEY)).contains(BYTES);
    }

    @Test
    void a_picture_in_parts_is_stored_as_one_and_has_the_hash_of_what_is_got() throws Exception {
        var picture = PngChunks.insertBeforeImageData(LandscapePicture.png("a lake", 1, 64, 64, 1),
                List.of(PngChunks.text("parameters", "a lake"), PngChunks.text("imagen", "{}")));
        store().put(KEY, picture, PNG);
        byte[] stored = store().get(KEY).orElseThrow();
        assertThat(PngFile.read(stored).types()).containsExactly("IHDR", "PLTE", "tEXt", "tEXt", "IDAT", "IEND");
        assertThat(stored).hasSize((int) picture.length());
        assertThat(MessageDigest.getInstance("SHA-256").digest(stored)).isEqualTo(picture.sha256());
    }

    @Test
    void a_client_gets_what_was_put() throws Exception {
        store().put(KEY, BYTES, PNG);
        assertThat(follow(store().content(KEY).orElseThrow())).isEqualTo(BYTES);
    }

    @Test
    void a_picture_of_10_megabytes_is_stored_whole() throws Exception {
        var bytes = random(10_000_000);
        store().put(KEY, bytes, PNG);
        assertThat(store().get(KEY)).contains(bytes);
        assertThat(follow(store().content(KEY).orElseThrow())).isEqualTo(bytes);
    }

    @Test
    void the_same_key_may_be_put_again_and_what_came_last_counts() throws Exception {
        put(KEY, KEY);
        assertThat(store().get(KEY)).contains(BYTES);
        store().put(KEY, new byte[]{4}, PNG);
        assertThat(store().get(KEY)).contains(new byte[]{4});
    }

    @Test
    void a_key_that_is_not_there_has_no_bytes() throws Exception {
        put(KEY);
        var other = KEY.replace("-1.png", "-2.png");
        assertThat(store().get(other)).isEmpty();
        assertThat(store().content(other)).isEmpty();
    }

    @Test
    void what_was_deleted_is_gone_and_deleting_it_again_is_no_error() throws Exception {
        put(KEY);
        store().delete(KEY);
        assertThat(store().get(KEY)).isEmpty();
        assertThat(store().content(KEY)).isEmpty();
        assertThat(store().keys(KEY)).isEmpty();
        store().delete(KEY);
    }

    @Test
    void keys_are_listed_by_how_they_begin() throws Exception {
        assertThat(store().keys("owner/2026")).isEmpty();
        put("owner/2026/11/job-1.png", "owner/2026/11/job-1.jpg", "owner/2026/11/job-12.png", "owner/2026/12/job-1.png",
                "owner2/2026/11/job-1.png", "owner/2026/11/jobX1.png");
        assertThat(store().keys("owner/2026/11/job-1.")).containsExactlyInAnyOrder("owner/2026/11/job-1.png",
                "owner/2026/11/job-1.jpg");
        assertThat(store().keys("owner/2026/11/job-1")).hasSize(3);
        assertThat(store().keys("owner/2026/11/job_1")).isEmpty();
        assertThat(store().keys("owner/2026")).hasSize(5);
        assertThat(store().keys("owner")).hasSize(6);
        assertThat(store().keys("owner/2026/11/job-2")).isEmpty();
        assertThat(store().keys("nobody/2026/11/job-2")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "A-z_0.9", "a/b/c/d/e/f", "-", "_", "a..b", "0/1"})
    void every_key_of_the_alphabet_is_a_key(String key) throws Exception {
        put(key);
        assertThat(store().get(key)).contains(BYTES);
        assertThat(follow(store().content(key).orElseThrow())).isEqualTo(BYTES);
        assertThat(store().keys(key)).containsExactly(key);
        store().delete(key);
        assertThat(store().get(key)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/etc/passwd", "../secret", "a/../../secret", "a//b", "a/./b", ".hidden", "a/.b",
            "a\\b", "a/b/", "a b", "a\0b", "a%2e", "a?b", "a#b", "ä", "~a", "a\nb"})
    void a_key_that_could_be_another_one_is_refused(String key) {
        assertThatThrownBy(() -> store().put(key, BYTES, PNG)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store().get(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store().content(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store().delete(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store().keys(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store().place(key)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_put_that_failed_stored_nothing_and_succeeds_once_what_was_broken_is_mended() throws Exception {
        breakStore();
        assertThatThrownBy(() -> store().put(KEY, BYTES, PNG)).isInstanceOf(IOException.class);
        mendStore();
        assertThat(store().get(KEY)).isEmpty();
        put(KEY);
        assertThat(store().get(KEY)).contains(BYTES);
    }

    @Test
    void many_puts_at_once_do_not_disturb_each_other() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var puts = IntStream.range(0, 30).<Future<?>>mapToObj(i -> executor.submit(() -> {
                store().put("owner/2026/11/job-" + i + ".png", random(1000 + i), PNG);
                return null;
            })).toList();
            for (Future<?> put : puts) {
                put.get();
            }
        }
        for (int i = 0; i < 30; i++) {
            assertThat(store().get("owner/2026/11/job-" + i + ".png")).contains(random(1000 + i));
        }
    }

    @Test
    void a_thread_that_was_interrupted_puts_nothing_and_stays_interrupted() throws Exception {
        put("owner/2026/11/warm-1.png");
        var stayed = new CompletableFuture<Boolean>();
        Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> store().put(KEY, BYTES, PNG)).isInstanceOf(IOException.class);
            stayed.complete(Thread.currentThread().isInterrupted());
        });
        assertThat(stayed.get(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void a_store_tells_a_person_where_an_image_is() {
        assertThat(store().place(KEY)).endsWith(KEY);
    }
}
