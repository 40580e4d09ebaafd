package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.remote.RemoteBackendContract;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.ComfyUiServer;
import dev.imagen.testing.ContractServer;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComfyUiBackendTest extends RemoteBackendContract {

    private final RemoteHttp http = new RemoteHttp();
    private ComfyUiServer server;

    @Override
    protected ContractServer startServer() throws Exception {
        var started = ComfyUiServer.start();
        server = server == null ? started : server;
        return started;
    }

    @Override
    protected ImageBackend backend(URI url, RemoteHttp http, long mostBytes, Duration longest) {
        return ComfyUiTest.backend(url, http, mostBytes, longest, ComfyUiTest.MODEL, ComfyUiTest.OTHER);
    }

    @Override
    protected ImageRequest request() {
        return ComfyUiTest.request();
    }

    @Override
    protected String job() {
        return """
                {"prompt": "a harbour at dusk", "backend": "comfyui", "width": 256, "height": 384}""";
    }

    @Override
    protected String jobWithParams() {
        return """
                {"prompt": "a harbour at dusk", "backend": "comfyui", "params": {"cfg": 6.5}}""";
    }

    @Override
    protected String key() {
        return ComfyUiServer.KEY;
    }

    @Override
    protected List<Documented> errors() {
        return List.of(
                error("bad input", "prompt_outputs_failed_validation", "Prompt outputs failed validation",
                        """
                                {"3": {"class_type": "KSampler", "dependent_outputs": ["9"], "errors": [{"type": "value_not_in_list",
                                  "message": "Value not in list", "details": "sampler_name: 'x' not in ['euler']",
                                  "extra_info": {"input_name": "sampler_name"}}]}}""",
                        "node 3 (KSampler): Value not in list: sampler_name: 'x' not in ['euler']"
                                + " (set by the job as params.sampler_name)"),
                error("unknown node", "invalid_prompt", "Cannot execute because node Magic does not exist.", "{}",
                        "Cannot execute because node Magic does not exist. Node ID '#9'"),
                new Documented("no token", 401, Map.of(), "", false,
                        "check backends.comfyui.key (BACKENDS_COMFYUI_KEY)"),
                new Documented("no ComfyUI", 405, Map.of(), "405: Method Not Allowed", false,
                        "check backends.comfyui.url (BACKENDS_COMFYUI_URL)"),
                new Documented("behind a proxy that gave up", 504, Map.of(), "<html>", true, "answered 504"));
    }

    private static Documented error(String name, String type, String message, String nodes, String told) {
        return new Documented(name, 400, Map.of(),
                "{\"error\": {\"type\": \"" + type + "\", \"message\": \"" + message
                        + "\", \"details\": \"Node ID '#9'\", \"extra_info\": {}}, \"node_errors\": " + nodes + "}",
                false, told);
    }

    /** ComfyUI itself refuses nothing; what stands before one may. */
    @Override
    protected Documented moderation() {
        return new Documented("moderation", 400, Map.of(), "{\"error\": {\"message\": \"refused by moderation\"}}",
                false, "refused by moderation");
    }

    @AfterEach
    void closeHttp() {
        http.close();
    }

    private ImageBackend backend() {
        return backend(server.url(), http, 100_000, Duration.ofSeconds(30));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            torch.OutOfMemoryError | Allocation on device would exceed allowed memory. (out of memory) | true
            RuntimeError           | This error means you ran out of memory on your GPU.               | true
            RuntimeError           | CUDA error: an illegal memory access was encountered              | true
            ConnectionError        | Max retries exceeded                                              | true
            RuntimeError           | mat1 and mat2 shapes cannot be multiplied (154x2048 and 768x320)  | false
            ValueError             | not a valid image                                                 | false
            FileNotFoundError      | No such file or directory: lora.safetensors                       | false
            """)
    void what_a_node_fails_of_is_told_and_tried_again_where_that_can_help(String type, String message,
            boolean retryable) throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(), request());
        server.awaitDrawing();
        server.fail(type, message);
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure).hasMessage("backend comfyui: node 3 (KSampler) of " + server.url().getAuthority()
                + " failed: " + type + ": " + message);
        assertThat(failure.retryable()).isEqualTo(retryable);
    }

    @Test
    void a_picture_that_is_larger_than_it_may_be_is_not_taken() {
        assertThatThrownBy(
                () -> backend(server.url(), http, 20, Duration.ofSeconds(30)).generate(request(), (_, _) -> {}))
                .hasMessageContaining("images.bytes (IMAGES_BYTES)");
    }

    @Test
    void settings_without_a_url_are_refused() {
        var keyAlone = new RemoteBackendSettings(Optional.empty(), Optional.of(new Secret("k")), List.of());
        assertThatThrownBy(() -> new ComfyUiBackend(keyAlone, Optional.empty(), http, 1, Duration.ofSeconds(1)))
                .hasMessage("backends.comfyui.url (BACKENDS_COMFYUI_URL) must be set where the key is");
    }
}
