package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.config.Secret;
import dev.imagen.config.StorageSettings.Supabase;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageType;
import dev.imagen.storage.FileImageStore;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.ImageStores;
import dev.imagen.storage.SupabaseImageStore;
import dev.imagen.testing.FaultProxy;
import dev.imagen.testing.LogRecords;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.SupabaseStorageServer;
import dev.imagen.testing.TestClient.Answer;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.api.io.TempDir;

/** Jobs and {@code /images} with a remote store. */
@Timeout(120)
@Isolated("counts what its package warns of")
class RemoteImagesTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String JOB = "{\"prompt\": \"a quiet bay\", \"width\": 64, \"height\": 48}";
    private static final String BUSY = "{\"statusCode\":\"503\",\"error\":\"busy\",\"message\":\"busy\"}";

    private static final UUID OWNER = UUID.fromString("00000000-0000-4000-8000-0000000000aa");

    @TempDir
    private Path folder;

    private SupabaseStorageServer server;
    private FaultProxy proxy;
    private ImageStore remote;
    private TestService service;

    @BeforeEach
    void startServer() throws IOException {
        server = SupabaseStorageServer.start();
        server.makeBucket("images");
        proxy = FaultProxy.to(server.port());
        remote = new SupabaseImageStore(new Supabase(URI.create("http://127.0.0.1:" + proxy.port() + "/storage/v1"),
                new Secret(SupabaseStorageServer.SERVICE_KEY), "images"), Duration.ofMinutes(10));
    }

    @AfterEach
    void stop() {
        service.close();
        remote.close();
        proxy.close();
        server.close();
    }

    /** New images go to the server; what is a file of this machine is served too. */
    private void start() {
        start(files -> new ImageStores(remote, files));
    }

    private void start(Function<ImageStore, ImageStores> stores) {
        if (service != null) {
            service.close();
        }
        service = TestService.on(DB).owner(OWNER).stores(stores).start();
    }

    private JsonNode image() {
        var job = service.client().submitAndWait(JOB);
        return service.client().get("/images/" + job.path("image_id").textValue()).json();
    }

    private Answer content(JsonNode image) {
        return service.client().get(image.path("url").textValue());
    }

    private static HttpResponse<byte[]> fetch(String url) throws Exception {
        try (var http = HttpClient.newHttpClient()) {
            return http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofByteArray());
        }
    }

    @Test
    void the_bytes_are_behind_a_link_that_may_be_kept_for_half_of_its_lifetime() throws Exception {
        start();
        var image = image();
        var answer = content(image);
        assertThat(answer.status()).isEqualTo(302);
        assertThat(answer.header("Cache-Control")).isEqualTo("private, max-age=300");
        assertThat(answer.header("ETag")).isEmpty();
        assertThat(answer.bytes()).isEmpty();
        var fetched = fetch(answer.header("Location"));
        assertThat(fetched.headers().firstValue("Content-Type")).contains("image/png");
        assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(fetched.body())))
                .isEqualTo(image.path("sha256").textValue());
    }

    @Test
    void the_link_is_told_with_its_end_to_whoever_cannot_follow_a_redirect() throws Exception {
        start();
        var image = image();
        var answer = service.client().get("/images/" + image.path("id").textValue() + "/link");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
        assertThat(fetch(answer.json().path("url").textValue()).body()).hasSize(image.path("byte_size").intValue());
        assertThat(Instant.parse(answer.json().path("expires_at").textValue()))
                .isBetween(Instant.now().plusSeconds(540), Instant.now().plusSeconds(600));
    }

    @Test
    void a_thumbnail_is_made_of_what_the_store_has_and_a_webp_is_where_its_content_is() throws Exception {
        start();
        var path = "/images/" + image().path("id").textValue() + "/thumbnail";
        assertThat(service.client().get(path).status()).isEqualTo(200);
        server.keys("images").forEach(this::delete);
        assertThat(ImageFile.read(service.client().get(path).bytes())).isEqualTo(new ImageFile(ImageType.JPEG, 64, 48));
        var webp = service.client().upload("/images", SampleImages.LOSSY_WEBP, "image/webp").id();
        var answer = service.client().get("/images/" + webp + "/thumbnail");
        assertThat(answer.status()).isEqualTo(302);
        assertThat(fetch(answer.header("Location")).body()).isEqualTo(SampleImages.LOSSY_WEBP);
    }

    private void delete(String key) {
        try {
            remote.delete(key);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void the_row_names_bucket_and_path() throws Exception {
        start();
        var row = DB.row("select bucket, path from imagen.images where id = ?::uuid", image().path("id").textValue());
        assertThat(row).containsEntry("bucket", "images");
        assertThat(server.object("images", (String) row.get("path"))).isPresent();
    }

    @Test
    void an_image_is_served_from_the_store_that_it_went_to() throws Exception {
        var file = new FileImageStore(folder);
        start(_ -> new ImageStores(file));
        var old = image();
        start(_ -> new ImageStores(remote, file));
        assertThat(content(old).status()).isEqualTo(200);
        assertThat(content(old).bytes()).hasSize(old.path("byte_size").intValue());
        assertThat(content(image()).status()).isEqualTo(302);
    }

    @Test
    void an_image_in_a_store_without_settings_is_a_problem_that_says_so_and_not_where_it_is() {
        start();
        var image = image();
        start(ImageStores::new);
        try (var log = LogRecords.of("dev.imagen.api")) {
            var answer = content(image);
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.detail()).contains("in a store that this process has no settings for");
            assertThat(log.warnings()).singleElement().asString().contains("images");
        }
        assertThat(service.client().get("/images/" + image.path("id").textValue()).status()).isEqualTo(200);
    }

    @Test
    void an_image_whose_object_is_gone_is_gone() throws Exception {
        start();
        var image = image();
        remote.delete(server.keys("images").iterator().next());
        assertThat(content(image).status()).isEqualTo(410);
    }

    @Test
    void a_store_that_does_not_answer_is_503_at_once() {
        start();
        var image = image();
        proxy.answer("POST", 400, Map.of(), BUSY);
        try (var log = LogRecords.of("dev.imagen.api")) {
            var answer = content(image);
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.detail()).isEqualTo("the image store does not answer now");
            assertThat(log.warnings()).hasSize(1);
        }
        assertThat(content(image).status()).isEqualTo(302);
    }

    @Test
    void a_store_that_refuses_for_good_fails_the_job_at_once_and_says_what_to_change() {
        start();
        server.limit("images", 10);
        var job = service.client().submitAndWait(JOB);
        assertThat(job.path("status").textValue()).isEqualTo("failed");
        assertThat(job.path("attempt").intValue()).isOne();
        assertThat(job.path("error").textValue())
                .startsWith("the image store did not take the image: Supabase Storage" + " answered 413")
                .contains("raise the file size limit");
    }

    @Test
    void a_store_that_is_busy_for_longer_than_an_attempt_asks_it_costs_an_attempt() {
        start();
        for (int i = 0; i < 4; i++) {
            proxy.answer("POST", 400, Map.of(), BUSY);
        }
        var job = service.client().submitAndWait(JOB);
        assertThat(job.path("status").textValue()).isEqualTo("done");
        assertThat(job.path("attempt").intValue()).isEqualTo(2);
        var attempts = service.client().get("/jobs/" + job.path("id").textValue()).json().path("attempts");
        assertThat(attempts.path(0).path("error").textValue()).isEqualTo(
                "the image store did not take the image: Supabase Storage answered 503 (busy) (attempt 1 of 3)");
    }

    @Test
    void a_cancel_ends_a_job_whose_upload_gets_no_answer() throws Exception {
        start();
        var silence = proxy.silence("POST");
        var id = service.client().submit(JOB).id();
        silence.await();
        assertThat(service.client().post("/jobs/" + id + "/cancel").status()).isEqualTo(202);
        await().atMost(Duration.ofSeconds(10))
                .until(() -> service.client().get("/jobs/" + id).json().path("status").textValue().equals("cancelled"));
    }
}
