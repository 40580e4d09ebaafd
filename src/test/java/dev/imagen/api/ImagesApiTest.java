package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.testing.PngFile;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestClient.Answer;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code /images} over HTTP, each test with an owner of its own. */
@Timeout(120)
class ImagesApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String INSERT = """
            insert into imagen.images (owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256, backend,
                                       model, prompt)
            values (?, 'file', 'somebody/2026/01/1.png', 'image/png', 16, 16, 4, '\\x00', 'mock', 'mock-landscape', 'a')
            returning id
            """;

    private TestService service;
    private TestClient client;

    @BeforeEach
    void start() {
        service = TestService.on(DB).start();
        client = service.client();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    private JsonNode image() {
        var job = client.submitAndWait(
                "{\"prompt\": \"a quiet bay\", \"style\": \"ink\", \"width\": 64, \"height\": 48, \"seed\": 7}");
        return client.get("/images/" + job.path("image_id").textValue()).json();
    }

    private static void assertNotFound(Answer answer) {
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(answer.detail()).isEqualTo("no such image");
    }

    @Test
    void a_record_tells_how_the_image_was_made() {
        var image = image();
        assertThat(image.path("owner_user_id").textValue()).isEqualTo(service.owner().toString());
        assertThat(image.path("width").intValue()).isEqualTo(64);
        assertThat(image.path("height").intValue()).isEqualTo(48);
        assertThat(image.path("seed").longValue()).isEqualTo(7);
        assertThat(image.path("style").textValue()).isEqualTo("ink");
        assertThat(image.path("prompt").textValue()).startsWith("a quiet bay, black ink drawing");
        assertThat(image.path("negative_prompt").textValue()).isEqualTo("colour, photograph, blur");
        assertThat(image.path("backend").textValue()).isEqualTo("mock");
        assertThat(client.get("/jobs/" + image.path("job_id").textValue()).json().path("image_id"))
                .isEqualTo(image.path("id"));
    }

    @Test
    void an_image_can_be_made_again_by_its_record_when_its_job_is_gone() throws Exception {
        var image = image();
        DB.execute("delete from imagen.jobs where id = '" + image.path("job_id").textValue() + "'");
        var request = client.get("/images/" + id(image)).json().path("request");
        assertThat(request).isEqualTo(image.path("request"));
        assertThat(request.toString()).doesNotContain("null");
        assertThat(request.path("prompt").textValue()).isEqualTo("a quiet bay");
        assertThat(client.get("/images").json().path("images").path(0).path("request")).isEqualTo(request);
        var again = client.submitAndWait(request.toString());
        assertThat(client.get("/images/" + again.path("image_id").textValue()).json().path("sha256"))
                .isEqualTo(image.path("sha256"));
    }

    @Test
    void its_picture_tells_the_same() {
        var image = image();
        var chunk = PngFile.read(client.get(image.path("url").textValue()).bytes()).texts().getLast();
        assertThat(chunk.keyword()).isEqualTo("imagen");
        var told = Json.read(chunk.value());
        image.path("request").properties().stream().filter(field -> !field.getKey().equals("count"))
                .forEach(field -> assertThat(told.path(field.getKey())).isEqualTo(field.getValue()));
    }

    @Test
    void a_record_does_not_tell_where_the_bytes_are_kept() {
        assertThat(image().toString()).doesNotContain(service.images().toString()).doesNotContain("bucket");
        assertThat(image().has("path")).isFalse();
    }

    @Test
    void the_bytes_are_those_that_were_stored() throws Exception {
        var image = image();
        var content = client.get(image.path("url").textValue());
        assertThat(content.status()).isEqualTo(200);
        assertThat(content.header("Content-Type")).isEqualTo("image/png");
        assertThat(content.header("X-Content-Type-Options")).isEqualTo("nosniff");
        assertThat(content.bytes()).hasSize(image.path("byte_size").intValue());
        assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content.bytes())))
                .isEqualTo(image.path("sha256").textValue());
    }

    @Test
    void the_bytes_have_a_name_to_be_saved_by() {
        var image = image();
        assertThat(client.get(image.path("url").textValue()).header("Content-Disposition"))
                .isEqualTo("inline; filename=\"" + image.path("id").textValue() + ".png\"");
    }

    @Test
    void what_is_recorded_as_no_picture_is_not_shown_as_what_it_is() throws Exception {
        var image = image();
        DB.execute("update imagen.images set mime_type = 'text/html'");
        var content = client.get(image.path("url").textValue());
        assertThat(content.status()).isEqualTo(200);
        assertThat(content.header("Content-Type")).isEqualTo("application/octet-stream");
        assertThat(content.header("Content-Disposition")).isEqualTo("attachment");
    }

    @Test
    void bytes_never_change_and_may_be_kept_by_their_owner() {
        var image = image();
        var content = client.get(image.path("url").textValue());
        assertThat(content.header("ETag")).isEqualTo("\"" + image.path("sha256").textValue() + "\"");
        assertThat(content.header("Cache-Control")).isEqualTo("private, max-age=31536000, immutable");
    }

    @Test
    void who_has_the_bytes_is_told_so_without_them() {
        var url = image().path("url").textValue();
        var etag = client.get(url).header("ETag");
        for (String sent : List.of(etag, "W/" + etag, "\"other\", " + etag)) {
            var again = client.get(url, "If-None-Match", sent);
            assertThat(again.status()).isEqualTo(304);
            assertThat(again.bytes()).isEmpty();
            assertThat(again.header("ETag")).isEqualTo(etag);
        }
    }

    @Test
    void who_has_other_bytes_gets_these() {
        var content = client.get(image().path("url").textValue(), "If-None-Match", "\"other\"");
        assertThat(content.status()).isEqualTo(200);
        assertThat(content.bytes()).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/content", "/thumbnail", "/link"})
    void an_unknown_image_is_not_there(String suffix) {
        assertNotFound(client.get("/images/" + UUID.randomUUID() + suffix));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/content", "/thumbnail", "/link"})
    void an_image_of_another_owner_is_not_there(String suffix) throws Exception {
        assertNotFound(client.get("/images/" + insertImage(UUID.randomUUID()) + suffix));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/content", "/thumbnail", "/link"})
    void a_deleted_image_is_not_there(String suffix) throws Exception {
        var id = insertImage(service.owner());
        DB.execute("update imagen.images set deleted_at = now() where id = '" + id + "'");
        assertNotFound(client.get("/images/" + id + suffix));
        assertThat(client.get("/images").json().path("images")).isEmpty();
    }

    @Test
    void a_job_names_its_image_only_while_it_can_be_seen() throws Exception {
        var image = image();
        var job = "/jobs/" + image.path("job_id").textValue();
        setDeleted(image, "now()");
        assertThat(client.get(job).json().path("image_url").isNull()).isTrue();
        assertThat(client.get(job).json().path("image_id").isNull()).isTrue();
        assertThat(client.get("/jobs").json().path("jobs").path(0).path("image_url").isNull()).isTrue();
        setDeleted(image, "null");
        assertThat(client.get(job).json().path("image_url")).isEqualTo(image.path("url"));
        assertThat(client.get(job).json().path("image_id")).isEqualTo(image.path("id"));
    }

    private Answer delete(UUID id) {
        return client.send("DELETE", "/images/" + id, BodyPublishers.noBody());
    }

    private Answer restore(UUID id) {
        return client.post("/images/" + id + "/restore");
    }

    private static UUID id(JsonNode image) {
        return UUID.fromString(image.path("id").textValue());
    }

    @Test
    void a_deleted_image_is_out_of_sight_at_once() {
        var image = image();
        var answer = delete(id(image));
        assertThat(answer.status()).isEqualTo(204);
        assertThat(answer.bytes()).isEmpty();
        assertNotFound(client.get("/images/" + id(image)));
        assertNotFound(client.get(image.path("url").textValue()));
        assertThat(client.get("/images").json().path("images")).isEmpty();
        var job = client.get("/jobs/" + image.path("job_id").textValue()).json();
        assertThat(job.path("image_url").isNull()).isTrue();
        assertThat(job.path("image_id").isNull()).isTrue();
    }

    @Test
    void a_restored_image_is_what_it_was() {
        var image = image();
        var bytes = client.get(image.path("url").textValue()).bytes();
        delete(id(image));
        var restored = restore(id(image));
        assertThat(restored.status()).isEqualTo(200);
        assertThat(restored.json()).isEqualTo(image);
        assertThat(client.get("/images/" + id(image)).json()).isEqualTo(image);
        assertThat(client.get(image.path("url").textValue()).bytes()).isEqualTo(bytes);
        assertThat(client.get("/jobs/" + image.path("job_id").textValue()).json().path("image_url"))
                .isEqualTo(image.path("url"));
    }

    @Test
    void who_deletes_or_restores_twice_is_told_the_same() {
        var id = id(image());
        assertThat(delete(id).status()).isEqualTo(204);
        assertThat(delete(id).status()).isEqualTo(204);
        var restored = restore(id);
        assertThat(restored.status()).isEqualTo(200);
        assertThat(restore(id).json()).isEqualTo(restored.json());
    }

    @Test
    void five_minutes_later_an_image_is_not_restored_any_more() throws Exception {
        var image = image();
        setDeleted(image, "now() - interval '299 seconds'");
        assertThat(restore(id(image)).status()).isEqualTo(200);
        setDeleted(image, "now() - interval '301 seconds'");
        var late = restore(id(image));
        assertThat(late.status()).isEqualTo(409);
        assertThat(late.detail())
                .isEqualTo("the image was deleted more than 5 minutes ago: it cannot be restored any more");
        assertThat(delete(id(image)).status()).isEqualTo(204);
    }

    @Test
    void an_unknown_or_foreign_image_can_be_neither_deleted_nor_restored() throws Exception {
        for (UUID id : List.of(UUID.randomUUID(), insertImage(UUID.randomUUID()))) {
            assertNotFound(delete(id));
            assertNotFound(restore(id));
        }
        assertThat(client.send("DELETE", "/images/x", BodyPublishers.noBody()).status()).isEqualTo(400);
        assertThat(client.post("/images/x/restore").status()).isEqualTo(400);
    }

    private static void setDeleted(JsonNode image, String when) throws Exception {
        DB.execute(
                "update imagen.images set deleted_at = " + when + " where id = '" + image.path("id").textValue() + "'");
    }

    private static UUID insertImage(UUID owner) throws Exception {
        return (UUID) DB.row(INSERT, owner).get("id");
    }

    @Test
    void the_link_to_a_file_is_that_of_its_bytes_here() {
        var image = image();
        var link = client.get("/images/" + id(image) + "/link");
        assertThat(link.status()).isEqualTo(200);
        assertThat(link.header("Cache-Control")).isEqualTo("no-store");
        assertThat(link.json().path("url")).isEqualTo(image.path("url"));
        assertThat(link.json().path("expires_at").isNull()).isTrue();
    }

    @Test
    void there_is_no_link_to_a_file_that_is_gone() throws Exception {
        var image = image();
        removeFiles(service.images());
        assertThat(client.get("/images/" + id(image) + "/link").status()).isEqualTo(410);
    }

    @Test
    void an_image_whose_file_is_gone_is_gone() throws Exception {
        var image = image();
        removeFiles(service.images());
        var content = client.get(image.path("url").textValue());
        assertThat(content.status()).isEqualTo(410);
        assertThat(content.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(content.detail()).isEqualTo("the image is recorded but its file is gone from the store");
        assertThat(client.get("/images/" + image.path("id").textValue()).status()).isEqualTo(200);
    }

    @Test
    void a_path_that_is_no_storage_key_leads_to_no_file() throws Exception {
        var id = insertImage(service.owner());
        DB.execute("update imagen.images set path = '../../etc/passwd' where id = '" + id + "'");
        assertThat(client.get("/images/" + id + "/content").status()).isEqualTo(410);
    }

    @Test
    void that_a_file_is_gone_is_not_to_be_kept_for_a_year() throws Exception {
        var url = image().path("url").textValue();
        removeFiles(service.images());
        var content = client.get(url);
        assertThat(content.status()).isEqualTo(410);
        assertThat(content.header("Cache-Control")).doesNotContain("immutable");
        assertThat(content.header("ETag")).isEmpty();
    }

    private static void removeFiles(Path folder) throws Exception {
        try (var files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.delete(file);
            }
        }
    }

    @Test
    void the_gallery_is_empty_at_first() {
        var page = client.get("/images").json();
        assertThat(page.path("images").isArray()).isTrue();
        assertThat(page.path("images")).isEmpty();
        assertThat(page.path("next_cursor").isNull()).isTrue();
    }

    @Test
    void pages_hold_every_image_once_newest_first() {
        var made = new ArrayList<String>();
        for (int i = 0; i < 5; i++) {
            made.addFirst(image().path("id").textValue());
        }
        var shown = new ArrayList<String>();
        var page = client.get("/images?limit=2").json();
        shown.addAll(ids(page));
        while (!page.path("next_cursor").isNull()) {
            page = client.get("/images?limit=2&cursor=" + page.path("next_cursor").textValue()).json();
            shown.addAll(ids(page));
        }
        assertThat(shown).isEqualTo(made);
    }

    private static List<String> ids(JsonNode page) {
        return StreamSupport.stream(page.path("images").spliterator(), false).map(image -> image.path("id").textValue())
                .toList();
    }

    @Test
    void an_image_that_was_made_without_a_job_is_in_the_gallery() throws Exception {
        var id = insertImage(service.owner());
        var page = client.get("/images").json();
        assertThat(ids(page)).containsExactly(id.toString());
        assertThat(page.path("images").path(0).path("job_id").isNull()).isTrue();
        assertThat(page.path("images").path(0).path("seed").isNull()).isTrue();
    }
}
