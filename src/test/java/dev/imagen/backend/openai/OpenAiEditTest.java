package dev.imagen.backend.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import dev.imagen.testing.MultipartForm;
import dev.imagen.testing.OpenAiServer;
import dev.imagen.testing.SampleImages;
import java.awt.image.BufferedImage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures that begin with one. */
@Timeout(60)
class OpenAiEditTest {

    private static final Progress NOBODY = (_, _) -> {};

    private final RemoteHttp http = new RemoteHttp();
    private OpenAiServer server;

    @BeforeEach
    void start() throws Exception {
        server = OpenAiServer.start();
    }

    @AfterEach
    void stop() {
        http.close();
        server.close();
    }

    private OpenAiBackend backend(String model) {
        return new OpenAiBackend(new RemoteBackendSettings(Optional.of(server.url()),
                Optional.of(new Secret(OpenAiServer.KEY)), List.of(model)), http, 100_000, Duration.ofSeconds(30));
    }

    private static ImageRequest request(String model, Map<String, Object> params, int count, byte[] input,
            String type) {
        int side = model.equals("dall-e-2") ? 256 : 1024;
        return new ImageRequest("a harbour \"at dusk\",\r\n--ü", Optional.empty(), model, side, side, 0, 1, params,
                count, Optional.of(new InputPicture(input, type, 0.75)));
    }

    private static byte[] png(int width, int height, int kind) {
        return SampleImages.encode("png", new BufferedImage(width, height, kind));
    }

    private JobFailedException failure(String model, byte[] input, String type) {
        return catchThrowableOfType(JobFailedException.class,
                () -> backend(model).generate(request(model, Map.of(), 1, input, type), NOBODY));
    }

    @ParameterizedTest
    @CsvSource({"png, image/png", "jpg, image/jpeg"})
    void the_picture_goes_along_byte_for_byte_and_all_that_the_job_says(String format, String type) throws Exception {
        byte[] input = SampleImages.encode(format, new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB));
        var params = Map.<String, Object>of("quality", "low", "output_format", "jpeg", "output_compression", 40,
                "background", "opaque", "moderation", "low", "input_fidelity", "high");
        var generation = backend("gpt-image-1.5").generate(request("gpt-image-1.5", params, 3, input, type), NOBODY);
        assertThat(generation.pictures()).hasSize(3);
        assertThat(generation.metered()).isEqualTo(new Metered(Optional.of(207L), Optional.of(272L), Optional.empty()));
        assertThat(server.lastForm().named("image")).singleElement().satisfies(image -> {
            assertThat(image.bytes()).isEqualTo(input);
            assertThat(image.type()).isEqualTo(type);
        });
        assertThat(server.lastForm().parts()).extracting(MultipartForm.Part::name).startsWith("model", "prompt", "size",
                "n");
        assertThat(server.last().path("prompt").textValue()).isEqualTo("a harbour \"at dusk\",\r\n--ü");
        assertThat(server.last().path("output_compression").intValue()).isEqualTo(40);
    }

    @Test
    void previews_come_here_too() throws Exception {
        var generation = backend("gpt-image-2").generate(
                request("gpt-image-2", Map.of("partial_images", 1), 1, SampleImages.LOSSY_WEBP, "image/webp"), NOBODY);
        assertThat(ImageFile.read(generation.pictures().getFirst().bytes()).width()).isEqualTo(1024);
        assertThat(server.last().path("stream").booleanValue()).isTrue();
    }

    @Test
    void dall_e_2_fills_what_is_transparent_in_a_square_png() throws Exception {
        var request = request("dall-e-2", Map.of(), 2, png(64, 64, BufferedImage.TYPE_INT_ARGB), "image/png");
        assertThat(backend("dall-e-2").generate(request, NOBODY).pictures()).hasSize(2);
        assertThat(server.last().path("response_format").textValue()).isEqualTo("b64_json");
    }

    @Test
    void what_dall_e_2_could_not_begin_with_is_refused_without_a_call() {
        for (byte[] other : List.of(png(64, 32, BufferedImage.TYPE_INT_ARGB), png(64, 64, BufferedImage.TYPE_INT_RGB),
                SampleImages.jpeg(64, 64), new byte[0])) {
            var failure = failure("dall-e-2", other, "image/png");
            assertThat(failure).hasMessage("backend openai: input_image_id must be a square PNG of less than 4 MiB,"
                    + " transparent where model dall-e-2 is to paint");
            assertThat(failure.retryable()).isFalse();
        }
        assertThat(server.calls()).isZero();
    }

    @Test
    void a_file_that_is_too_large_is_refused_without_a_call() {
        assertThat(failure("gpt-image-2", new byte[50 << 20], "image/png"))
                .hasMessage("backend openai: input_image_id must be a file of less than 50 MiB for model gpt-image-2");
        assertThat(server.calls()).isZero();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gpt-image-2 |
            dall-e-2    |
            my-model    |
            dall-e-3    | input_image_id means nothing to model dall-e-3, which changes no pictures: leave it out
            """)
    void a_model_that_changes_no_pictures_is_refused_before_the_picture_is_there(String model, String refusal) {
        assertThat(backend(model).refusal(request(model, Map.of(), 1, new byte[0], "")).map(Refusal::toString))
                .isEqualTo(Optional.ofNullable(refusal));
    }

    @Test
    void fidelity_needs_a_picture_to_be_true_to() {
        var request = new ImageRequest("a", Optional.empty(), "gpt-image-1.5", 1024, 1024, 0, 1,
                Map.of("input_fidelity", "high"));
        assertThat(backend("gpt-image-1.5").refusal(request)).get()
                .hasToString("params.input_fidelity needs input_image_id");
    }
}
