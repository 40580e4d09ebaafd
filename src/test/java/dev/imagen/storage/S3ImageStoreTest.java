package dev.imagen.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.imagen.config.Secret;
import dev.imagen.config.StorageSettings.S3;
import dev.imagen.storage.ImageStore.Content;
import dev.imagen.testing.FaultProxy;
import dev.imagen.testing.S3Server;
import java.io.IOException;
import java.net.URI;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class S3ImageStoreTest extends RemoteStoreContract {

    private final String bucket = "test-" + UUID.randomUUID();
    private FaultProxy proxy;
    private ImageStore store;

    @BeforeEach
    void start() throws IOException {
        proxy = FaultProxy.to(S3Server.shared().port());
        store = store(S3Server.SECRET, LINKS);
    }

    private ImageStore store(String secret, Duration links) {
        return new S3ImageStore(new S3(Optional.of(URI.create("http://127.0.0.1:" + proxy.port())), "us-east-1", bucket,
                new Secret(S3Server.KEY), new Secret(secret)), links, QUICK);
    }

    @AfterEach
    void stop() {
        store.close();
        proxy.close();
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
        return "PUT";
    }

    @Override
    String secret() {
        return S3Server.SECRET;
    }

    @Override
    void answer(String method, int status, Map<String, String> headers) {
        proxy.answer(method, status, headers, "<?xml version=\"1.0\"?><Error><Code>ATest</Code><Message>on purpose"
                + "</Message><RequestId>1</RequestId></Error>");
    }

    @Test
    void a_bucket_that_is_missing_is_made() throws Exception {
        put(KEY);
        assertThat(proxy.requests()).anyMatch(line -> line.matches("PUT /" + bucket + "/? .*"));
        put(KEY);
        assertThat(proxy.requests().stream().filter(line -> line.matches("PUT /" + bucket + "/? .*"))).hasSize(1);
    }

    @Test
    void a_bucket_that_may_not_be_made_says_what_to_do() {
        proxy.answer("PUT", 404, Map.of(), error("NoSuchBucket"));
        proxy.answer("PUT", 403, Map.of(), error("AccessDenied"));
        assertThatThrownBy(() -> put(KEY)).isInstanceOfSatisfying(StoreException.class, e -> {
            assertThat(e.retryable()).isFalse();
            assertThat(e).hasMessageContaining("there is no bucket " + bucket)
                    .hasMessageContaining("STORAGE_S3_BUCKET");
        });
    }

    @Test
    void a_bucket_of_somebody_else_says_what_to_do() {
        proxy.answer("PUT", 404, Map.of(), error("NoSuchBucket"));
        proxy.answer("PUT", 409, Map.of(), error("BucketAlreadyExists"));
        assertThatThrownBy(() -> put(KEY)).isInstanceOfSatisfying(StoreException.class, e -> {
            assertThat(e.retryable()).isFalse();
            assertThat(e).hasMessageContaining("somebody else's").hasMessageContaining("STORAGE_S3_BUCKET");
        });
    }

    @Test
    void a_bucket_that_another_process_has_just_made_is_used() throws Exception {
        put("owner/2026/11/warm-1.png");
        proxy.answer("PUT", 404, Map.of(), error("NoSuchBucket"));
        put(KEY);
        assertThat(store.get(KEY)).contains(BYTES);
    }

    private static String error(String code) {
        return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>on purpose</Message></Error>";
    }

    @Test
    void a_wrong_secret_is_told_to_be_wrong_and_not_shown() {
        try (var wrong = store("another-secret", LINKS)) {
            assertThatThrownBy(() -> wrong.put(KEY, BYTES, PNG)).isInstanceOf(StoreException.class)
                    .hasMessageContaining("403").hasMessageContaining("STORAGE_S3_SECRET")
                    .hasMessageNotContaining("another-secret");
        }
    }

    /** Over HTTPS it is all that the server can check: then what is sent is not signed. */
    @Test
    void an_upload_tells_the_md5_of_its_bytes_and_is_nothing_but_them() throws Exception {
        put(KEY);
        assertThat(proxy.header("PUT", "Content-MD5"))
                .contains(Base64.getEncoder().encodeToString(MessageDigest.getInstance("MD5").digest(BYTES)));
        assertThat(proxy.header("PUT", "Content-Length")).contains(String.valueOf(BYTES.length));
        assertThat(proxy.header("PUT", "x-amz-trailer")).isEmpty();
    }

    @Test
    void a_deletion_in_a_bucket_that_is_missing_is_a_failure_and_no_success() {
        proxy.answer("DELETE", 404, Map.of(), error("NoSuchBucket"));
        assertThatThrownBy(() -> store.delete(KEY)).isInstanceOf(StoreException.class)
                .hasMessageContaining("there is no bucket");
    }

    @Test
    void type_and_caching_are_told_to_whoever_follows_a_link() throws Exception {
        store.put(KEY, BYTES, "image/webp");
        var response = fetch(((Content.Link) store.content(KEY).orElseThrow()).url());
        assertThat(response.headers().firstValue("Content-Type")).contains("image/webp");
        assertThat(response.headers().firstValue("Cache-Control")).contains("private, max-age=31536000, immutable");
    }

    @Test
    void a_link_ends_with_its_lifetime() throws Exception {
        try (var brief = store(S3Server.SECRET, Duration.ofSeconds(2))) {
            brief.put(KEY, BYTES, PNG);
            var link = (Content.Link) brief.content(KEY).orElseThrow();
            assertThat(fetch(link.url()).statusCode()).isEqualTo(200);
            await().atMost(Duration.ofSeconds(20)).until(() -> fetch(link.url()).statusCode() == 403);
        }
    }
}
