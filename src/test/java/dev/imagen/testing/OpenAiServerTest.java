package dev.imagen.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.MultipartField;
import com.openai.errors.BadRequestException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.images.ImageEditParams;
import com.openai.models.images.ImageEditParams.Image;
import com.openai.models.images.ImageEditStreamEvent;
import com.openai.models.images.ImageGenStreamEvent;
import com.openai.models.images.ImageGenerateParams;
import com.openai.models.images.ImageGenerateParams.Quality;
import com.openai.models.images.ImageGenerateParams.Size;
import com.openai.models.models.Model;
import dev.imagen.image.ImageFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The provider's own client understands the server that stands in for the provider, and the other way round. */
@Timeout(60)
class OpenAiServerTest {

    private OpenAiServer server;
    private OpenAIClient client;

    @BeforeEach
    void start() throws IOException {
        server = OpenAiServer.start();
        client = client(OpenAiServer.KEY);
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private OpenAIClient client(String key) {
        return OpenAIOkHttpClient.builder().baseUrl(server.url() + "/v1").apiKey(key).maxRetries(1).build();
    }

    private static ImageGenerateParams.Builder harbour(String model) {
        return ImageGenerateParams.builder().prompt("a harbour at dusk").model(model);
    }

    @Test
    void its_pictures_and_its_tokens_are_read() throws Exception {
        var answer = client.images()
                .generate(harbour("gpt-image-2").size(Size._1024X1536).quality(Quality.LOW).n(2).build());
        assertThat(answer.data().orElseThrow()).hasSize(2);
        var picture = Base64.getDecoder().decode(answer.data().orElseThrow().getFirst().b64Json().orElseThrow());
        assertThat(ImageFile.read(picture).height()).isEqualTo(1536);
        assertThat(answer.usage().orElseThrow().outputTokens()).isEqualTo(272);
        assertThat(answer.validate()).isSameAs(answer);
    }

    @Test
    void the_older_models_give_urls_unless_asked_otherwise() {
        var url = client.images().generate(harbour("dall-e-2").size(Size.of("256x256")).build()).data().orElseThrow()
                .getFirst().url();
        assertThat(url.orElseThrow()).startsWith(server.url().toString());
        var base64 = client
                .images().generate(harbour("dall-e-3")
                        .putAdditionalBodyProperty("response_format", JsonValue.from("b64_json")).build())
                .data().orElseThrow().getFirst().b64Json();
        assertThat(base64).isPresent();
    }

    private static MultipartField<Image> file(byte[] picture, String type) {
        return MultipartField.<Image>builder().value(Image.ofInputStream(new ByteArrayInputStream(picture)))
                .filename("a.file").contentType(type).build();
    }

    private static ImageEditParams.Builder change(String model, byte[] picture, String type) {
        return ImageEditParams.builder().prompt("a harbour at dusk").model(model).image(file(picture, type));
    }

    @Test
    void pictures_that_begin_with_one_are_read() {
        var answer = client.images().edit(change("gpt-image-1.5", SampleImages.jpeg(40, 30), "image/jpeg").n(2)
                .size(ImageEditParams.Size._1024X1536).inputFidelity(ImageEditParams.InputFidelity.HIGH).build());
        assertThat(answer.data().orElseThrow()).hasSize(2);
        assertThat(answer.usage().orElseThrow().inputTokensDetails().imageTokens()).isEqualTo(194);
        assertThat(server.lastForm().named("image").getFirst().bytes()).isEqualTo(SampleImages.jpeg(40, 30));
    }

    @Test
    void what_it_does_not_begin_with_is_refused() {
        var rgb = SampleImages.png(64, 64);
        for (var wrong : List.of(change("gpt-image-2", rgb, "application/octet-stream"),
                change("gpt-image-2", rgb, "image/webp"), change("dall-e-2", rgb, "image/png"),
                change("dall-e-3", rgb, "image/png"))) {
            assertThatThrownBy(() -> client.images().edit(wrong.build())).isInstanceOf(BadRequestException.class);
        }
        assertThatThrownBy(() -> client.images().edit(
                change("gpt-image-2", rgb, "image/png").inputFidelity(ImageEditParams.InputFidelity.HIGH).build()))
                .isInstanceOfSatisfying(BadRequestException.class,
                        e -> assertThat(e.param()).contains("input_fidelity"));
    }

    @Test
    void previews_are_streamed_before_the_picture() {
        try (var made = client.images().generateStreaming(harbour("gpt-image-2").partialImages(2).build())) {
            var events = made.stream().map(ImageGenStreamEvent::validate).toList();
            assertThat(events).hasSize(3);
            assertThat(events.get(1).asGenerationPartialImage().partialImageIndex()).isOne();
            assertThat(events.getLast().asGenerationCompleted().usage().outputTokens()).isEqualTo(472);
        }
        try (var changed = client.images()
                .editStreaming(change("gpt-image-2", SampleImages.png(40, 30), "image/png").partialImages(1).build())) {
            var events = changed.stream().map(ImageEditStreamEvent::validate).toList();
            assertThat(events).hasSize(2);
            assertThat(events.getLast().asCompleted().b64Json()).isNotEmpty();
        }
    }

    @Test
    void its_models_are_listed() {
        assertThat(client.models().list().data()).extracting(Model::id).contains("gpt-image-2");
    }

    @Test
    void its_refusals_are_understood() {
        assertThatThrownBy(() -> client.images().generate(
                harbour("gpt-image-2").putAdditionalBodyProperty("response_format", JsonValue.from("url")).build()))
                .isInstanceOfSatisfying(BadRequestException.class, e -> {
                    assertThat(e.code()).contains("unknown_parameter");
                    assertThat(e.param()).contains("response_format");
                });
        assertThatThrownBy(() -> client.images().generate(harbour("gpt-image-1.5").size(Size.of("256x256")).build()))
                .isInstanceOfSatisfying(BadRequestException.class, e -> assertThat(e.param()).contains("size"));
        var stranger = client("sk-of-nobody");
        try {
            assertThatThrownBy(() -> stranger.images().generate(harbour("gpt-image-2").build()))
                    .isInstanceOf(UnauthorizedException.class);
        } finally {
            stranger.close();
        }
    }

    @Test
    void a_limit_of_requests_is_one_and_is_tried_again() {
        var limited = ContractServer.status(429, Map.of("retry-after-ms", "1"),
                "{\"error\": {\"message\": \"Rate limit reached\", \"code\": \"rate_limit_exceeded\"}}");
        server.next(limited);
        assertThat(client.images().generate(harbour("gpt-image-2").build()).data()).isPresent();
        assertThat(server.calls()).isEqualTo(2);
        server.next(limited);
        server.next(limited);
        assertThatThrownBy(() -> client.images().generate(harbour("gpt-image-2").build()))
                .isInstanceOf(RateLimitException.class);
    }
}
