package dev.imagen.backend.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpServer;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.OpenAiServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whether the server is there, without a picture. */
@Timeout(60)
class OpenAiProbeTest {

    private final RemoteHttp http = new RemoteHttp();

    @AfterEach
    void closeHttp() {
        http.close();
    }

    private OpenAiBackend backend(URI url, String key) {
        return new OpenAiBackend(
                new RemoteBackendSettings(Optional.of(url), Optional.of(new Secret(key)), List.of("gpt-image-2")), http,
                100_000, Duration.ofSeconds(30));
    }

    @Test
    void a_key_that_works_is_told_from_one_that_does_not_and_from_no_server() throws Exception {
        URI url;
        try (var server = OpenAiServer.start()) {
            url = server.url();
            backend(url, OpenAiServer.KEY).probe();
            backend(URI.create(url + "/v1"), OpenAiServer.KEY).probe();
            var failure = catchThrowableOfType(JobFailedException.class, () -> backend(url, "sk-of-nobody").probe());
            assertThat(failure).hasMessageContaining("check backends.openai.key (BACKENDS_OPENAI_KEY)")
                    .hasMessageNotContaining("sk-of-nobody");
            assertThat(server.calls()).isZero();
        }
        var failure = catchThrowableOfType(JobFailedException.class, () -> backend(url, OpenAiServer.KEY).probe());
        assertThat(failure).hasMessage("backend openai: no connection to " + url.getAuthority());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            404 | no such page | true
            405 | not allowed  | true
            403 | Missing scopes: api.model.read. | true
            403 | Country not supported | false
            500 | broken       | false
            """)
    void a_server_that_does_not_list_its_models_is_there_all_the_same(int status, String said, boolean there)
            throws Exception {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/models", exchange -> {
            byte[] body = said.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            var url = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
            var probed = assertThatCode(() -> backend(url, OpenAiServer.KEY).probe());
            if (there) {
                probed.doesNotThrowAnyException();
            } else {
                probed.isInstanceOf(JobFailedException.class).hasMessageContaining(said);
            }
        } finally {
            server.stop(0);
        }
    }
}
