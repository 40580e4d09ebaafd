package dev.imagen.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.images.ImageGenerateParams;
import com.openai.models.images.ImageGenerateParams.Quality;
import com.openai.models.images.ImageGenerateParams.Size;
import dev.imagen.image.ImageFile;
import java.io.IOException;
import java.util.Base64;
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
