package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageType;
import dev.imagen.storage.ImageStores;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestClient.Answer;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code GET /images/{id}/thumbnail}, each test with an owner of its own. */
@Timeout(120)
class ThumbnailsApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final WatchedStore.Watch watch = new WatchedStore.Watch();
    private TestService service;
    private TestClient client;

    @BeforeEach
    void start() {
        service = TestService.on(DB).stores(files -> new ImageStores(new WatchedStore(files, watch))).start();
        client = service.client();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    private UUID upload(byte[] picture) {
        var answer = client.upload("/images", picture, "image/png");
        assertThat(answer.status()).as(answer.detail()).isEqualTo(201);
        return answer.id();
    }

    private Answer thumbnail(UUID id, String... headers) {
        return client.get("/images/" + id + "/thumbnail", headers);
    }

    private static long kept(UUID id) throws SQLException {
        return DB.rows("select from imagen.thumbnails where image_id = ?", id).size();
    }

    @Test
    void a_picture_is_shown_small() throws Exception {
        var answer = thumbnail(upload(SampleImages.png(1000, 500)));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Content-Type")).isEqualTo("image/jpeg");
        assertThat(answer.header("Cache-Control")).isEqualTo("private, max-age=31536000, immutable");
        assertThat(answer.header("Vary")).isEqualTo("Origin, Authorization");
        assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
        assertThat(ImageFile.read(answer.bytes())).isEqualTo(new ImageFile(ImageType.JPEG, 320, 160));
    }

    @Test
    void so_is_the_picture_of_a_job() throws Exception {
        var job = client.submitAndWait("{\"prompt\": \"a quiet bay\", \"width\": 640, \"height\": 400}");
        var answer = thumbnail(UUID.fromString(job.path("image_id").textValue()));
        assertThat(ImageFile.read(answer.bytes())).isEqualTo(new ImageFile(ImageType.JPEG, 320, 200));
    }

    @Test
    void it_is_made_once_and_kept() throws Exception {
        var id = upload(SampleImages.png(1000, 500));
        var first = thumbnail(id);
        assertThat(kept(id)).isOne();
        var again = thumbnail(id);
        assertThat(again.bytes()).isEqualTo(first.bytes());
        assertThat(again.headers().map().get("ETag")).isEqualTo(first.headers().map().get("ETag"));
        assertThat(watch.reads()).isOne();
        try (var other = TestService.on(DB).owner(service.owner()).start()) {
            // Which has no such file.
            assertThat(other.client().get("/images/" + id + "/thumbnail").bytes()).isEqualTo(first.bytes());
        }
    }

    @Test
    void who_has_it_is_told_so_without_it() {
        var id = upload(SampleImages.png(1000, 500));
        var etag = thumbnail(id).header("ETag");
        assertThat(etag).isNotEmpty().isNotEqualTo(client.get("/images/" + id + "/content").header("ETag"));
        var again = thumbnail(id, "If-None-Match", etag);
        assertThat(again.status()).isEqualTo(304);
        assertThat(again.bytes()).isEmpty();
        assertThat(again.header("ETag")).isEqualTo(etag);
        assertThat(thumbnail(id, "If-None-Match", client.get("/images/" + id + "/content").header("ETag")).status())
                .isEqualTo(200);
    }

    /** Two of different images meet in the store or none comes out of it, and never a third. */
    @Test
    void two_are_made_at_a_time_and_none_twice() throws Exception {
        var ids = Stream.generate(() -> upload(SampleImages.png(400, 300))).limit(6).toList();
        watch.holdUntilTwo();
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var asked = executor.invokeAll(ids.stream()
                    .flatMap(id -> Stream.<Callable<Answer>>generate(() -> () -> thumbnail(id)).limit(5)).toList());
            for (var answer : asked) {
                assertThat(answer.get().status()).isEqualTo(200);
            }
        }
        assertThat(watch.reads()).isEqualTo(6);
        assertThat(watch.mostAtOnce()).isEqualTo(2);
    }

    @Test
    void what_failed_once_can_be_asked_for_again() throws Exception {
        var id = upload(SampleImages.png(400, 300));
        watch.failOnce();
        var failed = thumbnail(id);
        assertThat(failed.status()).isEqualTo(503);
        assertThat(failed.detail()).isEqualTo("the image store does not answer now");
        assertThat(kept(id)).isZero();
        assertThat(thumbnail(id).status()).isEqualTo(200);
    }

    @Test
    void a_deleted_image_has_none_until_it_is_restored() throws Exception {
        var id = upload(SampleImages.png(400, 300));
        var before = thumbnail(id);
        client.send("DELETE", "/images/" + id, BodyPublishers.noBody());
        assertThat(thumbnail(id).status()).isEqualTo(404);
        assertThat(thumbnail(id, "If-None-Match", before.header("ETag")).status()).isEqualTo(404);
        client.post("/images/" + id + "/restore");
        assertThat(thumbnail(id).bytes()).isEqualTo(before.bytes());
        assertThat(watch.reads()).isOne();
    }

    @Test
    void another_owner_is_told_nothing_of_it_by_rest_or_sql() throws Exception {
        var id = upload(SampleImages.png(400, 300));
        var etag = thumbnail(id).header("ETag");
        try (var other = TestService.on(DB).start()) {
            var answer = other.client().get("/images/" + id + "/thumbnail", "If-None-Match", etag);
            assertThat(answer.status()).isEqualTo(404);
            assertThat(answer.detail()).isEqualTo("no such image");
            assertThat(seenBy(other.owner())).isZero();
        }
        assertThat(seenBy(service.owner())).isOne();
        client.send("DELETE", "/images/" + id, BodyPublishers.noBody());
        assertThat(seenBy(service.owner())).isZero();
    }

    private static long seenBy(UUID owner) throws SQLException {
        try (var connection = DB.as(owner); var statement = connection.createStatement()) {
            return TestDatabase.rows(statement.executeQuery("select jpeg from imagen.thumbnails")).size();
        }
    }

    @Test
    void what_cannot_be_made_small_is_answered_as_it_is() throws Exception {
        var id = upload(SampleImages.LOSSY_WEBP);
        var answer = thumbnail(id);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("Content-Type")).isEqualTo("image/webp");
        assertThat(answer.header("ETag")).isEqualTo(client.get("/images/" + id + "/content").header("ETag"));
        assertThat(answer.bytes()).isEqualTo(SampleImages.LOSSY_WEBP);
        assertThat(thumbnail(id, "If-None-Match", answer.header("ETag")).status()).isEqualTo(304);
        assertThat(kept(id)).isZero();
        assertThat(watch.reads()).isZero();
    }

    @Test
    void so_is_a_picture_that_is_larger_than_what_is_taken_now() {
        var id = upload(SampleImages.png(400, 300));
        try (var strict = TestService.on(DB).owner(service.owner()).with("images.pixels", "400")
                .stores(_ -> new ImageStores(new WatchedStore(service.parts().stores().current(), watch))).start()) {
            var answer = strict.client().get("/images/" + id + "/thumbnail");
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.header("Content-Type")).isEqualTo("image/png");
        }
    }

    @Test
    void an_image_whose_file_is_gone_or_damaged_is_gone() throws Exception {
        var id = upload(SampleImages.png(400, 300));
        var file = onlyFile();
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 100));
        var damaged = thumbnail(id);
        assertThat(damaged.status()).isEqualTo(410);
        assertThat(damaged.detail())
                .startsWith("no thumbnail can be made: the image's file in the store is a damaged PNG: ");
        assertThat(damaged.header("Cache-Control")).doesNotContain("immutable");
        Files.delete(file);
        var gone = thumbnail(id);
        assertThat(gone.status()).isEqualTo(410);
        assertThat(gone.detail()).isEqualTo("the image is recorded but its file is gone from the store");
        assertThat(kept(id)).isZero();
    }

    private Path onlyFile() throws Exception {
        try (var files = Files.walk(service.images())) {
            return files.filter(Files::isRegularFile).findFirst().orElseThrow();
        }
    }

    /** The statement that keeps it finds no row any more, and no error of its foreign key. */
    @Test
    void an_image_that_is_removed_meanwhile_keeps_none() throws Exception {
        var id = upload(SampleImages.png(400, 300));
        watch.beforeNextAnswer(() -> DB.execute("delete from imagen.images where id = '" + id + "'"));
        assertThat(thumbnail(id).status()).isEqualTo(200);
        assertThat(kept(id)).isZero();
        assertThat(thumbnail(id).status()).isEqualTo(404);
    }
}
