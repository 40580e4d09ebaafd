package dev.imagen.backend.comfyui;

import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.testing.ComfyUiServer;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;

/** A server, and a backend that looks at it every 20 ms. */
@Timeout(60)
abstract class ComfyUiTest {

    static final String MODEL = "dreamer_v8.safetensors";
    static final String OTHER = "sdxl/painter.safetensors";

    final RemoteHttp http = new RemoteHttp();
    ComfyUiServer server;

    @BeforeEach
    final void startServer() throws IOException {
        server = ComfyUiServer.start();
    }

    @AfterEach
    final void stopServer() {
        http.close();
        server.close();
    }

    ComfyUiBackend backend(String... models) {
        return backend(server.url(), http, 100_000, Duration.ofSeconds(30), models);
    }

    static ComfyUiBackend backend(URI url, RemoteHttp http, long mostBytes, Duration longest, String... models) {
        return backend(url, Workflows.in(Optional.empty()), http, mostBytes, longest, models);
    }

    static ComfyUiBackend backend(URI url, Workflows workflows, RemoteHttp http, long mostBytes, Duration longest,
            String... models) {
        var settings = new RemoteBackendSettings(Optional.of(url), Optional.of(new Secret(ComfyUiServer.KEY)),
                List.of(models));
        return new ComfyUiBackend(settings, workflows, http, mostBytes, new Patience(longest, Duration.ofMillis(20)));
    }

    static ImageRequest request() {
        return request(MODEL, Map.of());
    }

    static ImageRequest request(String model, Map<String, Object> params) {
        return new ImageRequest("a harbour at dusk", Optional.of("fog"), model, 256, 384, 20, 7, params);
    }
}
