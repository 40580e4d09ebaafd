package dev.imagen.backend.automatic1111;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.Automatic1111Server;
import dev.imagen.testing.Automatic1111Server.Kind;
import dev.imagen.testing.SampleImages;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pictures that begin with one. */
@Timeout(60)
class Img2ImgTest {

    private final RemoteHttp http = new RemoteHttp();
    private Automatic1111Server server;

    @BeforeEach
    void start() throws Exception {
        server = Automatic1111Server.start();
    }

    @AfterEach
    void stop() {
        http.close();
        server.close();
    }

    private Automatic1111Backend backend(String... models) {
        return new Automatic1111Backend(new RemoteBackendSettings(Optional.of(server.url()),
                Optional.of(new Secret(Automatic1111Server.KEY)), List.of(models)), http, 100_000,
                Duration.ofSeconds(30));
    }

    private static ImageRequest request(String model, byte[] input) {
        return new ImageRequest("a harbour at dusk", Optional.of("fog"), model, 256, 384, 20, 7,
                Map.of("sampler_name", "Euler a"), 1, Optional.of(new InputPicture(input, "image/png", 0.4)));
    }

    private JobFailedException failure(String model, byte[] input) {
        return catchThrowableOfType(JobFailedException.class,
                () -> backend(model).generate(request(model, input), (_, _) -> {}));
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void the_picture_goes_along_with_how_much_of_it_changes(Kind kind) throws Exception {
        server.as(kind);
        byte[] input = SampleImages.png(40, 30);
        var picture = backend().generate(request("loaded", input), (_, _) -> {}).pictures().getFirst();
        assertThat(ImageFile.read(picture.bytes()).height()).isEqualTo(384);
        assertThat(server.last().path("init_images")).singleElement()
                .satisfies(sent -> assertThat(Base64.getDecoder().decode(sent.textValue())).isEqualTo(input));
        assertThat(server.last().path("denoising_strength").doubleValue()).isEqualTo(0.4);
        assertThat(server.last().path("resize_mode").intValue()).isOne();
        assertThat(server.last().path("sampler_name").textValue()).isEqualTo("Euler a");
        assertThat(server.last().path("force_task_id").textValue()).startsWith("task(imagen-");
    }

    @Test
    void both_are_offered() {
        assertThat(backend().info().features()).contains(Feature.INPUT_IMAGE, Feature.STRENGTH);
    }

    @Test
    void a_picture_that_the_server_cannot_read_fails_the_job_for_good() {
        var failure = failure("loaded", new byte[]{1, 2, 3});
        assertThat(failure).hasMessage("backend automatic1111: " + server.url().getAuthority()
                + " cannot read the picture of input_image_id: Invalid encoded image");
        assertThat(failure.retryable()).isFalse();
    }

    @Test
    void a_server_that_repeats_the_picture_in_its_answer_has_room_for_it() throws Exception {
        server.as(Kind.SD_SERVER);
        byte[] input = SampleImages.pngOf(40, 30, 40 * 30 * 3 + 30, new byte[1_500_000]);
        assertThat(backend().generate(request("loaded", input), (_, _) -> {}).pictures()).hasSize(1);
    }

    @Test
    void forge_which_keeps_its_model_is_told_from_one_that_does_not_know_it() throws Exception {
        assertThat(failure(Automatic1111Server.OTHER, SampleImages.png(8, 8))).isNull();
        server.as(Kind.FORGE);
        assertThat(failure(Automatic1111Server.LOADED, SampleImages.png(8, 8))).isNull();
        var failure = failure(Automatic1111Server.OTHER, SampleImages.png(8, 8));
        assertThat(failure).hasMessageContaining("drew with dreamer_v8 instead of the model \"painter_xl\"")
                .hasMessageEndingWith("load it there first");
        assertThat(failure.retryable()).isFalse();
    }
}
