package dev.imagen.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.genai.Client;
import com.google.genai.errors.ClientException;
import com.google.genai.types.BlockedReason;
import com.google.genai.types.FinishReason;
import com.google.genai.types.GenerateContentConfig;
import com.google.genai.types.HttpOptions;
import com.google.genai.types.ImageConfig;
import dev.imagen.image.ImageFile;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The provider's own client understands the server that stands in for the provider, and the other way round. */
@Timeout(60)
class GeminiServerTest {

    private GeminiServer server;
    private Client client;

    @BeforeEach
    void start() throws IOException {
        server = GeminiServer.start();
        client = client(GeminiServer.KEY);
    }

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private Client client(String key) {
        return Client.builder().apiKey(key)
                .httpOptions(HttpOptions.builder().baseUrl(server.url().toString()).apiVersion("v1beta").build())
                .build();
    }

    private static GenerateContentConfig image(String shape, String size) {
        return GenerateContentConfig.builder().responseModalities("TEXT", "IMAGE")
                .imageConfig(ImageConfig.builder().aspectRatio(shape).imageSize(size)).build();
    }

    @Test
    void its_pictures_and_its_tokens_are_read() throws Exception {
        var answer = client.models.generateContent("gemini-3-pro-image", "a harbour at dusk", image("3:2", "1K"));
        var finished = answer.parts().stream().filter(part -> !part.thought().orElse(false))
                .flatMap(part -> part.inlineData().stream()).toList();
        assertThat(finished).hasSize(1);
        assertThat(ImageFile.read(finished.getFirst().data().orElseThrow()).width()).isEqualTo(1264);
        assertThat(answer.usageMetadata().orElseThrow().candidatesTokenCount()).contains(1290);
        assertThat(answer.finishReason().knownEnum()).isEqualTo(FinishReason.Known.STOP);
    }

    @Test
    void its_refusals_are_understood() throws Exception {
        var blocked = client.models.generateContent("gemini-3-pro-image", "something forbidden", image("1:1", "1K"));
        assertThat(blocked.promptFeedback().orElseThrow().blockReason().map(BlockedReason::knownEnum))
                .contains(BlockedReason.Known.PROHIBITED_CONTENT);
        assertThatThrownBy(() -> client.models.generateContent("gemini-2.5-flash-image", "a", image("1:1", "2K")))
                .isInstanceOfSatisfying(ClientException.class, e -> {
                    assertThat(e.code()).isEqualTo(400);
                    assertThat(e.status()).isEqualTo("INVALID_ARGUMENT");
                });
        try (var stranger = client("AIzaSy-of-nobody")) {
            assertThatThrownBy(() -> stranger.models.generateContent("gemini-3-pro-image", "a", image("1:1", "1K")))
                    .isInstanceOf(ClientException.class).hasMessageContaining("API key not valid");
        }
    }
}
