package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Files;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pictures that an owner sends, jobs that begin with one, and jobs of several pictures; over HTTP and by SQL. */
@Timeout(120)
class OwnPicturesApiTest {

    private static final int BLUE = 0x0000FF;

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

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

    private static byte[] blue() {
        var image = new BufferedImage(40, 20, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, 40, 20, IntStream.generate(() -> BLUE).limit(800).toArray(), 0, 40);
        return SampleImages.encode("png", image);
    }

    private JsonNode send(byte[] picture) {
        var answer = client.upload("/images", picture, "image/png");
        assertThat(answer.status()).as(answer.json().toString()).isEqualTo(201);
        assertThat(answer.header("Location")).isEqualTo("/images/" + answer.json().path("id").asText());
        return answer.json();
    }

    @Test
    void a_picture_that_was_sent_is_an_image_of_its_owner() {
        byte[] picture = blue();
        var image = send(picture);
        assertThat(client.get("/images/" + image.path("id").asText()).json()).isEqualTo(image);
        assertThat(client.get(image.path("url").asText()).bytes()).isEqualTo(picture);
        assertThat(image.path("width").asInt()).isEqualTo(40);
        assertThat(image.path("backend").isNull()).isTrue();
        assertThat(image.path("prompt").isNull()).isTrue();
        assertThat(image.path("request").isNull()).isTrue();
        assertThat(client.get("/images").json().path("images").path(0)).isEqualTo(image);
        assertThat(client.send("DELETE", "/images/" + image.path("id").asText(), BodyPublishers.noBody()).status())
                .isEqualTo(204);
    }

    @Test
    void a_picture_of_megabytes_arrives_whole() {
        var noise = new BufferedImage(1200, 1000, BufferedImage.TYPE_INT_RGB);
        var dice = new Random(1);
        noise.setRGB(0, 0, 1200, 1000, IntStream.generate(dice::nextInt).limit(1_200_000).toArray(), 0, 1200);
        byte[] picture = SampleImages.encode("png", noise);
        assertThat(picture).hasSizeGreaterThan(3_000_000);
        assertThat(client.get(send(picture).path("url").asText()).bytes()).isEqualTo(picture);
    }

    @Test
    void what_a_picture_is_its_bytes_tell_and_not_its_sender() {
        assertThat(send(SampleImages.jpeg(16, 16)).path("mime_type").asText()).isEqualTo("image/jpeg");
    }

    @Test
    void what_is_no_picture_is_refused_and_leaves_nothing() throws Exception {
        var text = client.upload("/images", "<svg/>".getBytes(), "image/png");
        assertThat(text.status()).isEqualTo(422);
        assertThat(text.detail()).contains("instead of a picture (PNG, JPEG or WebP)");
        var bomb = client.upload("/images", SampleImages.pngOf(16, 16, 10_000_000), "image/png");
        assertThat(bomb.status()).isEqualTo(422);
        assertThat(bomb.detail()).contains("inflate to more");
        var empty = client.upload("/images", new byte[0], "image/png");
        assertThat(empty.status()).isEqualTo(422);
        var json = client.upload("/images", "{}".getBytes(), "application/json");
        assertThat(json.status()).isEqualTo(415);
        assertThat(json.detail()).contains("image/png, image/jpeg, image/webp");
        assertThat(DB.rows("select from imagen.images where owner_user_id = '" + service.owner() + "'")).isEmpty();
        try (var files = Files.walk(service.images())) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
    }

    @Test
    void more_pixels_than_the_settings_allow_are_refused() {
        try (var small = TestService.on(DB).with("images.pixels", "400").start()) {
            var many = small.client().upload("/images", SampleImages.png(21, 20), "image/png");
            assertThat(many.status()).isEqualTo(422);
            assertThat(many.detail())
                    .isEqualTo("the body is a picture of 21×20 pixels, and images.pixels (IMAGES_PIXELS) allows 400");
        }
    }

    @Test
    void a_job_begins_with_a_picture_that_was_sent() throws Exception {
        var input = send(blue()).path("id").asText();
        var kept = picture(
                "{\"prompt\": \"a bay\", \"width\": 32, \"height\": 32, \"strength\": 0, \"input_image_id\": \"" + input
                        + "\"}");
        assertThat(kept.getRGB(16, 16) & 0xFFFFFF).isEqualTo(BLUE);
        var changed = picture(
                "{\"prompt\": \"a bay\", \"width\": 32, \"height\": 32, \"strength\": 1, \"input_image_id\": \"" + input
                        + "\"}");
        assertThat(changed.getRGB(16, 16) & 0xFFFFFF).isNotEqualTo(BLUE);
    }

    private BufferedImage picture(String job) throws IOException {
        var done = client.submitAndWait(job);
        assertThat(done.path("status").asText()).as(done.toString()).isEqualTo("done");
        return ImageIO.read(new ByteArrayInputStream(client.get(done.path("image_url").asText()).bytes()));
    }

    @Test
    void a_job_inserted_by_sql_with_a_foreign_or_deleted_input_fails_by_name() throws Exception {
        var mine = UUID.fromString(send(blue()).path("id").asText());
        var foreign = UUID.randomUUID();
        DB.execute("update imagen.images set owner_user_id = gen_random_uuid(), id = '" + foreign + "' where id = '"
                + mine + "'");
        assertFails(foreign);
        var deleted = UUID.fromString(send(blue()).path("id").asText());
        DB.execute("select imagen.delete_image('" + deleted + "')");
        assertFails(deleted);
    }

    private void assertFails(UUID input) throws Exception {
        var id = UUID.randomUUID();
        try (var events = client.events("/jobs/events")) {
            events.comment();
            DB.execute("insert into imagen.jobs (id, owner_user_id, prompt, input_image_id) values ('" + id + "', '"
                    + service.owner() + "', 'a', '" + input + "')");
            JsonNode job;
            do {
                job = events.next("status").data();
            } while (!job.path("status").asText().equals("failed"));
            assertThat(job.path("id").asText()).isEqualTo(id.toString());
            assertThat(job.path("error").asText())
                    .isEqualTo("input_image_id " + input + " is no image of this owner, or was deleted");
        }
    }

    @Test
    void a_job_of_several_pictures_names_them_all_and_the_first_first() throws Exception {
        var done = client
                .submitAndWait("{\"prompt\": \"a bay\", \"width\": 32, \"height\": 32, \"count\": 3, \"seed\": 7}");
        assertThat(done.path("images")).hasSize(3);
        assertThat(done.path("images").path(0)).isEqualTo(done.path("image_id"));
        var seeds = StreamSupport.stream(done.path("images").spliterator(), false)
                .map(id -> client.get("/images/" + id.asText()).json())
                .map(image -> image.path("position").asInt() + ":" + image.path("seed").asLong()).toList();
        assertThat(seeds).containsExactly("0:7", "1:8", "2:9");
        assertThat(DB.row("select images from imagen.usage where job_id = '" + done.path("id").asText() + "'"))
                .containsEntry("images", 3);
    }

    @Test
    void what_a_job_asked_for_shows_in_the_job() {
        var input = send(blue()).path("id");
        var job = client
                .submit("{\"prompt\": \"a\", \"run_at\": \"9999-01-01T00:00:00Z\", \"count\": 2, \"strength\": 0.5,"
                        + " \"input_image_id\": " + input + "}")
                .json();
        assertThat(job.path("count").asInt()).isEqualTo(2);
        assertThat(job.path("strength").asDouble()).isEqualTo(0.5);
        assertThat(job.path("input_image_id")).isEqualTo(input);
        assertThat(job.path("images")).isEmpty();
    }
}
