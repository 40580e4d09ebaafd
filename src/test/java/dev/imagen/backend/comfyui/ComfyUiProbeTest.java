package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import dev.imagen.backend.Parameter.Kind;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.ContractServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a server says that it has. */
class ComfyUiProbeTest extends ComfyUiTest {

    @Test
    void without_models_in_the_settings_the_first_checkpoint_of_the_server_is_taken() throws Exception {
        var backend = backend();
        assertThat(backend.info().models()).containsExactly("default");
        assertThat(backend.info().offers(OTHER)).isTrue();
        backend.generate(request("default", Map.of()), (_, _) -> {});
        assertThat(server.last().path("prompt").path("4").path("inputs").path("ckpt_name").textValue())
                .isEqualTo(MODEL);
    }

    @Test
    void a_server_without_checkpoints_says_so() {
        server.has();
        assertThatThrownBy(() -> backend().generate(request("default", Map.of()), (_, _) -> {}))
                .hasMessageStartingWith("backend comfyui: the server has no checkpoint: put one into its folder"
                        + " models/checkpoints")
                .isInstanceOfSatisfying(JobFailedException.class, e -> assertThat(e.retryable()).isFalse());
    }

    @Test
    void a_probe_tells_what_the_server_has() throws Exception {
        var backend = backend();
        backend.probe();
        assertThat(backend.info().models()).containsExactly(MODEL, OTHER, "default");
        assertThat(backend.info().offers("unheard.safetensors")).isFalse();
        assertThat(backend.info().problem("sampler_name", "magic"))
                .contains("must be one of euler, euler_ancestral, dpmpp_2m");
        assertThat(backend.info().problem("scheduler", "karras")).isEmpty();
        server.has(OTHER);
        backend.probe();
        assertThat(backend.info().models()).containsExactly(OTHER, "default");
        assertThat(backend("a.safetensors").info().models()).containsExactly("a.safetensors");
    }

    @Test
    void before_a_probe_any_sampler_is_taken_and_the_server_refuses_it() {
        var backend = backend(MODEL);
        assertThat(backend.info().parameters().getFirst().kind()).isEqualTo(new Kind.Text(200));
        assertThatThrownBy(() -> backend.generate(request(MODEL, Map.of("sampler_name", "magic")), (_, _) -> {}))
                .hasMessageContaining("sampler_name: 'magic' not in ['euler', 'euler_ancestral', 'dpmpp_2m']"
                        + " (set by the job as params.sampler_name)");
    }

    @Test
    void a_probe_of_another_program_fails() throws Exception {
        try (var other = new StrangeServer()) {
            other.listen();
            var backend = backend(other.url(), http, 1000, Duration.ofSeconds(5), MODEL);
            assertThatThrownBy(backend::probe).hasMessage("backend comfyui: the server does not answer as ComfyUI"
                    + " does; check backends.comfyui.url (BACKENDS_COMFYUI_URL)");
        }
    }

    /** Says yes to everything. */
    private static final class StrangeServer extends ContractServer {

        @Override
        protected boolean generates(HttpExchange exchange) {
            return false;
        }

        @Override
        protected void answer(HttpExchange exchange) throws IOException {
            send(exchange, 200, "application/json", "{}".getBytes(StandardCharsets.UTF_8));
        }
    }
}
