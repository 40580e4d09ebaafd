package dev.imagen.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.imagen.config.Secret;
import dev.imagen.config.StorageSettings.Supabase;
import dev.imagen.storage.ImageStore.Content;
import dev.imagen.testing.FaultProxy;
import dev.imagen.testing.SupabaseStorageServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SupabaseImageStoreTest extends RemoteStoreContract {

    private static final String BUCKET = "images";

    private SupabaseStorageServer server;
    private FaultProxy proxy;
    private ImageStore store;

    @BeforeEach
    void start() throws IOException {
        server = SupabaseStorageServer.start();
        proxy = FaultProxy.to(server.port());
        store = store(SupabaseStorageServer.SERVICE_KEY);
    }

    private ImageStore store(String key) {
        return new SupabaseImageStore(
                new Supabase(URI.create("http://127.0.0.1:" + proxy.port() + "/storage/v1"), new Secret(key), BUCKET),
                LINKS, QUICK);
    }

    @AfterEach
    void stop() {
        store.close();
        proxy.close();
        server.close();
    }

    @Override
    ImageStore store() {
        return store;
    }

    @Override
    FaultProxy proxy() {
        return proxy;
    }

    @Override
    String uploads() {
        return "POST";
    }

    @Override
    String secret() {
        return SupabaseStorageServer.SERVICE_KEY;
    }

    /** But 429 and 500, HTTP knows no error of it but 400. */
    @Override
    void answer(String method, int status, Map<String, String> headers) {
        proxy.answer(method, status == 429 || status == 500 ? status : 400, headers, "{\"statusCode\":\"" + status
                + "\",\"error\":\"a test\",\"message\":\"sent with " + SupabaseStorageServer.SERVICE_KEY + "\"}");
    }

    @Test
    void an_answer_that_does_not_end_is_not_kept() throws Exception {
        var sent = new AtomicLong();
        var endless = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        endless.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (var body = exchange.getResponseBody()) {
                while (sent.addAndGet(1 << 16) < 64 << 20) {
                    body.write(new byte[1 << 16]);
                }
            }
        });
        endless.start();
        try (var asked = new SupabaseImageStore(
                new Supabase(URI.create("http://127.0.0.1:" + endless.getAddress().getPort()), new Secret("key"),
                        BUCKET),
                LINKS, Retries.NONE)) {
            assertThatThrownBy(() -> asked.keys(KEY)).isInstanceOf(StoreException.class);
            assertThatThrownBy(() -> asked.put(KEY, BYTES, PNG)).isInstanceOf(StoreException.class);
            assertThat(sent).hasValueLessThan(48 << 20);
        } finally {
            endless.stop(0);
        }
    }

    @Test
    void a_bucket_that_is_missing_is_made_and_private() throws Exception {
        put(KEY);
        assertThat(server.open(BUCKET)).isFalse();
        assertThat(server.object(BUCKET, KEY)).isPresent();
    }

    @Test
    void a_bucket_that_another_process_has_just_made_is_used() throws Exception {
        proxy.answer("POST", 400, Map.of(), "{\"statusCode\":\"404\",\"error\":\"Bucket not found\"}");
        server.makeBucket(BUCKET);
        put(KEY);
        assertThat(server.object(BUCKET, KEY)).isPresent();
    }

    @Test
    void a_bucket_that_may_not_be_made_says_what_to_do() {
        server.forbidBuckets();
        assertThatThrownBy(() -> put(KEY)).isInstanceOfSatisfying(StoreException.class, e -> {
            assertThat(e.retryable()).isFalse();
            assertThat(e).hasMessageContaining("there is no bucket images")
                    .hasMessageContaining("STORAGE_SUPABASE_KEY");
        });
    }

    @Test
    void type_and_caching_are_told_to_the_store() throws Exception {
        store.put(KEY, BYTES, "image/webp");
        assertThat(server.object(BUCKET, KEY)).get().satisfies(object -> {
            assertThat(object.mimeType()).isEqualTo("image/webp");
            assertThat(object.cacheControl()).isEqualTo("private, max-age=31536000, immutable");
        });
    }

    @Test
    void a_key_that_row_level_security_holds_back_is_told_to_be_the_wrong_one() {
        server.makeBucket(BUCKET);
        try (var anonymous = store(SupabaseStorageServer.ANON_KEY)) {
            assertThatThrownBy(() -> anonymous.put(KEY, BYTES, PNG)).hasMessageContaining("403")
                    .hasMessageContaining("row-level security").hasMessageContaining("STORAGE_SUPABASE_KEY");
        }
    }

    @Test
    void a_key_of_another_project_is_told_to_be_the_wrong_one_and_not_shown() {
        try (var wrong = store("another-projects-key")) {
            assertThatThrownBy(() -> wrong.put(KEY, BYTES, PNG)).hasMessageContaining("STORAGE_SUPABASE_KEY")
                    .hasMessageNotContaining("another-projects-key");
        }
    }

    @Test
    void limits_of_the_bucket_say_what_to_raise() {
        server.makeBucket(BUCKET);
        server.limit(BUCKET, 2);
        assertThatThrownBy(() -> put(KEY)).hasMessageContaining("413").hasMessageContaining("file size limit");
        server.limit(BUCKET, 100, "image/jpeg");
        assertThatThrownBy(() -> put(KEY)).hasMessageContaining("415").hasMessageContaining("allow image/png");
    }

    @Test
    void where_tags_are_no_md5_the_bytes_are_read_back() throws Exception {
        server.useOpaqueTags();
        put(KEY);
        assertThat(proxy.requests()).anyMatch(line -> line.startsWith("GET") && line.contains("/authenticated/"));
        proxy.corrupt("POST");
        put(KEY);
        assertThat(server.object(BUCKET, KEY).orElseThrow().bytes()).isEqualTo(BYTES);
    }

    @Test
    void where_tags_are_md5_nothing_is_read_back() throws Exception {
        put(KEY);
        assertThat(proxy.requests()).noneMatch(line -> line.contains("/authenticated/"));
    }

    @Test
    void a_link_ends_with_its_lifetime() throws Exception {
        put(KEY);
        var link = (Content.Link) store.content(KEY).orElseThrow();
        server.advance(LINKS.minusSeconds(5));
        assertThat(fetch(link.url()).statusCode()).isEqualTo(200);
        server.advance(Duration.ofSeconds(6));
        assertThat(fetch(link.url()).statusCode()).isEqualTo(400);
    }

    @Test
    void a_signed_url_of_another_server_is_not_handed_on() throws Exception {
        put(KEY);
        proxy.answer("POST", 200, Map.of(), "{\"signedURL\":\"@evil.example/object/sign/x\"}");
        assertThatThrownBy(() -> store.content(KEY)).isInstanceOf(StoreException.class)
                .hasMessageContaining("STORAGE_SUPABASE_URL");
    }

    @Test
    void more_keys_than_a_page_are_all_listed() throws Exception {
        server.makeBucket(BUCKET);
        for (int i = 0; i < 1001; i++) {
            server.store(BUCKET, "owner/2026/11/job-1." + i);
        }
        assertThat(store.keys("owner/2026/11/job-1.")).hasSize(1001).doesNotHaveDuplicates();
    }
}
