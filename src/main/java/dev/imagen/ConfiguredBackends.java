package dev.imagen;

import dev.imagen.backend.Backends;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.MockBackend;
import dev.imagen.backend.automatic1111.Automatic1111Backend;
import dev.imagen.backend.comfyui.ComfyUiBackend;
import dev.imagen.backend.fal.FalBackend;
import dev.imagen.backend.gemini.GeminiBackend;
import dev.imagen.backend.openai.OpenAiBackend;
import dev.imagen.backend.pool.ServerPool;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.backend.replicate.ReplicateBackend;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Settings;
import java.util.ArrayList;
import java.util.List;

/** The backends that the settings set up: the same for the queue, the API and the generate command. */
final class ConfiguredBackends {

    private ConfiguredBackends() {}

    /** @throws IllegalArgumentException naming the setting that cannot work */
    static Backends of(Settings settings, RemoteHttp http) {
        var backends = new ArrayList<ImageBackend>();
        settings.backends().remote().forEach((name, servers) -> backends
                .add(pool(servers.stream().map(server -> remote(name, server, settings, http)).toList())));
        backends.add(new MockBackend(settings.mock().delay(), settings.mock().failures()));
        return new Backends(settings.backends().defaultName(), backends, settings.backends().offers());
    }

    private static ImageBackend pool(List<ImageBackend> servers) {
        return servers.size() == 1 ? servers.getFirst() : new ServerPool(servers);
    }

    private static ImageBackend remote(String name, RemoteBackendSettings remote, Settings settings, RemoteHttp http) {
        var timeout = settings.worker().timeout(name);
        return switch (name) {
            case OpenAiBackend.NAME -> new OpenAiBackend(remote, http, settings.images().bytes(), timeout);
            case Automatic1111Backend.NAME ->
                new Automatic1111Backend(remote, http, settings.images().bytes(), timeout);
            case ComfyUiBackend.NAME ->
                new ComfyUiBackend(remote, settings.backends().workflows(), http, settings.images().bytes(), timeout);
            case ReplicateBackend.NAME -> new ReplicateBackend(remote, http, settings.images().bytes(), timeout);
            case GeminiBackend.NAME -> new GeminiBackend(remote, http, settings.images().bytes(), timeout);
            case FalBackend.NAME -> new FalBackend(remote, http, settings.images().bytes(), timeout);
            default -> throw new IllegalArgumentException("there is no backend " + name);
        };
    }
}
