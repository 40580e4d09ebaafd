package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Parameter.Kind;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.remote.RemoteBackendContract;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.ComfyUiServer;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.SampleImages;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComfyUiBackendTest extends RemoteBackendContract {

    private static final String MODEL = "dreamer_v8.safetensors";
    private static final String OTHER = "sdxl/painter.safetensors";

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
        return new ComfyUiBackend(settings(url, MODEL, OTHER), Workflows.in(Optional.empty()), http, mostBytes,
                new Patience(longest, Duration.ofMillis(20)));
    }

    private static RemoteBackendSettings settings(URI url, String... models) {
        return new RemoteBackendSettings(Optional.of(url), Optional.of(new Secret(ComfyUiServer.KEY)), List.of(models));
    }

    @Override
    protected ImageRequest request() {
        return request(MODEL, Map.of());
    }

    private static ImageRequest request(String model, Map<String, Object> params) {
        return new ImageRequest("a harbour at dusk", Optional.of("fog"), model, 256, 384, 20, 7, params);
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

    private ComfyUiBackend backend(String... models) {
        return new ComfyUiBackend(settings(server.url(), models), Workflows.in(Optional.empty()), http, 100_000,
                new Patience(Duration.ofSeconds(30), Duration.ofMillis(20)));
    }

    @Test
    void the_usual_graph_says_all_that_the_job_does() throws Exception {
        backend(MODEL).generate(request(), (_, _) -> {});
        var id = server.last().path("prompt_id").textValue();
        assertThat(server.last().path("client_id").textValue()).isEqualTo(id);
        assertThat(server.last().path("prompt")).hasToString("""
                {"4":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"dreamer_v8.safetensors"}},\
                "6":{"class_type":"CLIPTextEncode","inputs":{"text":"a harbour at dusk","clip":["4",1]}},\
                "7":{"class_type":"CLIPTextEncode","inputs":{"text":"fog","clip":["4",1]}},\
                "5":{"class_type":"EmptyLatentImage","inputs":{"width":256,"height":384,"batch_size":1}},\
                "3":{"class_type":"KSampler","inputs":{"seed":7,"steps":20,"cfg":8.0,"sampler_name":"euler",\
                "scheduler":"normal","denoise":1.0,"model":["4",0],"positive":["6",0],"negative":["7",0],\
                "latent_image":["5",0]}},\
                "8":{"class_type":"VAEDecode","inputs":{"samples":["3",0],"vae":["4",2]}},\
                "9":{"class_type":"SaveImage","inputs":{"filename_prefix":"imagen/%s","images":["8",0]}}}"""
                .formatted(id));
    }

    @Test
    void parameters_go_into_the_nodes_that_know_them() throws Exception {
        backend(OTHER).generate(
                request(OTHER, Map.of("sampler_name", "dpmpp_2m", "scheduler", "karras", "cfg", 5.5, "clip_skip", 2)),
                (_, _) -> {});
        var sampler = server.last().path("prompt").path("3").path("inputs");
        assertThat(sampler.path("sampler_name").textValue()).isEqualTo("dpmpp_2m");
        assertThat(sampler.path("scheduler").textValue()).isEqualTo("karras");
        assertThat(sampler.path("cfg").doubleValue()).isEqualTo(5.5);
        assertThat(server.last().path("prompt").path("13").path("inputs"))
                .hasToString("{\"stop_at_clip_layer\":-2,\"clip\":[\"4\",1]}");
        assertThat(server.last().path("prompt").path("6").path("inputs").path("clip")).hasToString("[\"13\",0]");
    }

    @Test
    void a_picture_to_begin_with_is_put_onto_the_server_once_and_scaled() throws Exception {
        var picture = SampleImages.jpeg(40, 30);
        var request = new ImageRequest("a harbour", Optional.empty(), MODEL, 256, 128, 20, 7, Map.of(), 1,
                Optional.of(new InputPicture(picture, "image/jpeg", 0.6)));
        var made = backend(MODEL).generate(request, (_, _) -> {}).pictures().getFirst();
        backend(MODEL).generate(request, (_, _) -> {});
        assertThat(ImageFile.read(made.bytes()).width()).isEqualTo(256);
        assertThat(server.uploads()).containsExactly(2, 1);
        var graph = server.last().path("prompt");
        var name = graph.path("10").path("inputs").path("image").textValue();
        assertThat(name).matches("imagen/[0-9a-f-]{36}\\.jpeg");
        assertThat(server.upload(name)).isEqualTo(picture);
        assertThat(graph.path("11").path("inputs")).hasToString("{\"upscale_method\":\"lanczos\",\"width\":256,"
                + "\"height\":128,\"crop\":\"center\",\"image\":[\"10\",0]}");
        assertThat(graph.path("5").path("inputs")).hasToString("{\"pixels\":[\"11\",0],\"vae\":[\"4\",2]}");
        assertThat(graph.path("3").path("inputs").path("denoise").doubleValue()).isEqualTo(0.6);
    }

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
            var backend = backend(other.url(), http, 1000, Duration.ofSeconds(5));
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

    @Test
    void steps_and_previews_are_told_while_it_is_drawn() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.draw(1);
        assertThat(caller.awaitStep()).isEqualTo("1/20");
        assertThat(ImageFile.read(caller.awaitPreview()).height()).isEqualTo(8);
        server.draw(1);
        assertThat(caller.awaitStep()).isEqualTo("2/20");
        assertThat(ImageFile.read(caller.awaitPreview()).height()).isEqualTo(16);
        server.drawFast();
        assertThat(caller.awaitPictures().pictures()).hasSize(1);
        server.awaitNoSocket();
    }

    @Test
    void another_users_picture_of_which_everybody_hears_is_not_told() throws Exception {
        server.drawSlowly();
        server.anotherUserDraws("theirs");
        server.awaitDrawing();
        var caller = new Caller(backend(MODEL), request());
        server.awaitPending();
        server.awaitSocket();
        server.draw(20);
        server.awaitDrawingOf(server.lastId());
        assertThat(caller.heardNothing()).isTrue();
        server.draw(1);
        assertThat(caller.awaitStep()).isEqualTo("1/20");
        assertThat(ImageFile.read(caller.awaitPreview()).height()).isEqualTo(8);
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    @org.junit.jupiter.api.Timeout(15)
    void a_broken_socket_is_opened_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.cutSockets();
        server.awaitHandshakes(2);
        server.awaitSocket();
        server.draw(3);
        assertThat(caller.awaitStep()).endsWith("/20");
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void a_picture_whose_socket_breaks_for_good_is_found_in_the_history() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.refuseSockets();
        server.cutSockets();
        server.drawFast();
        assertThat(caller.awaitPictures().pictures()).hasSize(1);
        assertThat(server.calls()).isOne();
    }

    @Test
    void no_socket_is_needed() throws Exception {
        server.refuseSockets();
        var made = backend(MODEL).generate(request(), (_, _) -> {});
        assertThat(ImageFile.read(made.pictures().getFirst().bytes()).height()).isEqualTo(384);
    }

    @Test
    void a_prompt_whose_answer_is_lost_is_found_and_not_posted_again() throws Exception {
        server.loseNextAnswer();
        assertThat(backend(MODEL).generate(request(), (_, _) -> {}).pictures()).hasSize(1);
        server.drawSlowly();
        server.loseNextAnswer();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
        assertThat(server.calls()).isEqualTo(2);
        assertThat(server.drawn()).hasSize(2);
    }

    @Test
    void a_server_that_is_silent_for_a_moment_is_waited_for() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.loseLooks(true);
        server.drawFast();
        server.awaitIdle();
        server.loseLooks(false);
        assertThat(caller.awaitPictures().pictures()).hasSize(1);
    }

    @Test
    void a_server_that_stays_silent_is_given_up_and_tried_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.loseLooks(true);
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure.retryable()).isTrue();
        assertThat(failure).hasMessageStartingWith("backend comfyui: no whole answer from");
        server.loseLooks(false);
        server.awaitInterrupts(1);
        server.awaitIdle();
    }

    @Test
    void a_prompt_that_a_restart_forgot_is_tried_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.restart();
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure.retryable()).isTrue();
        assertThat(failure).hasMessage("backend comfyui: " + server.url().getAuthority()
                + " no longer knows the prompt: it was started again, or somebody removed the prompt");
    }

    @Test
    void an_older_server_that_gives_its_own_id_is_followed() throws Exception {
        server.beOld();
        assertThat(backend(MODEL).generate(request(), (_, _) -> {}).pictures()).hasSize(1);
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.awaitLookFor(server.drawing());
        server.draw(1);
        assertThat(caller.awaitStep()).isEqualTo("1/20");
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitIdle();
        assertThat(server.interrupted()).hasSize(1);
    }

    @Test
    void a_cancel_takes_a_waiting_prompt_out_of_the_queue() throws Exception {
        server.drawSlowly();
        server.anotherUserDraws("theirs");
        server.awaitDrawing();
        var caller = new Caller(backend(MODEL), request());
        server.awaitPending();
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitDeleted();
        server.drawFast();
        server.awaitIdle();
        assertThat(server.interrupted()).isEmpty();
        assertThat(server.drawn()).containsExactly("theirs");
    }

    @Test
    void a_cancel_interrupts_the_prompt_that_is_drawn() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitIdle();
        assertThat(server.interrupted()).containsExactly(server.lastId());
    }

    @Test
    void a_prompt_that_begins_while_it_is_deleted_is_interrupted() throws Exception {
        server.drawSlowly();
        server.anotherUserDraws("theirs");
        server.awaitDrawing();
        var caller = new Caller(backend(MODEL), request());
        server.awaitPending();
        server.beforeDelete(() -> {
            server.beforeDelete(() -> {});
            server.letEnd("theirs");
        });
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitInterrupts(1);
        server.awaitIdle();
        assertThat(server.interrupted()).containsExactly(server.lastId());
        assertThat(server.drawn()).containsExactly("theirs", server.lastId());
    }

    @Test
    void an_interrupt_that_is_lost_since_the_prompt_was_just_beginning_is_repeated() throws Exception {
        server.drawSlowly();
        server.holdBeforeStart(true);
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitInterrupts(1);
        server.holdBeforeStart(false);
        server.awaitIdle();
        assertThat(server.interrupted()).hasSize(2).containsOnly(server.lastId());
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void nobody_elses_picture_is_interrupted(boolean old) throws Exception {
        if (old) {
            server.beOld();
        }
        server.drawSlowly();
        var backend = backend(MODEL);
        var caller = new Caller(backend, request());
        server.awaitDrawing();
        server.anotherUserDraws("theirs");
        server.beforeDelete(() -> {
            server.beforeDelete(() -> {});
            server.letEnd(server.drawing());
        });
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitDrawingOf("theirs");
        backend.close();
        assertThat(server.interrupted()).isEmpty();
        server.drawFast();
        server.awaitIdle();
        assertThat(server.drawn()).hasSize(2).endsWith("theirs");
    }

    @Test
    void a_call_that_takes_too_long_is_taken_back() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(server.url(), http, 100_000, Duration.ofMillis(400)), request());
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure).hasMessageStartingWith("backend comfyui: no picture from");
        assertThat(failure.retryable()).isTrue();
        server.awaitIdle();
        assertThat(server.interrupted()).containsExactly(server.lastId());
    }

    @Test
    void a_stop_of_the_process_waits_until_the_server_was_told() throws Exception {
        server.drawSlowly();
        var backend = backend(MODEL);
        var caller = new Caller(backend, request());
        server.awaitDrawing();
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        backend.close();
        http.close();
        assertThat(server.interrupted()).hasSize(1);
        server.awaitIdle();
    }

    @Test
    void many_calls_stand_in_the_queue_of_the_server() throws Exception {
        server.drawSlowly();
        var backend = backend(MODEL);
        var callers = List.of(new Caller(backend, request()), new Caller(backend, request()),
                new Caller(backend, request()));
        server.awaitAtOnce(3);
        assertThat(backend.waiting()).isEqualTo(3);
        server.drawFast();
        for (Caller caller : callers) {
            assertThat(caller.awaitPictures().pictures()).hasSize(1);
        }
        assertThat(server.drawn()).doesNotHaveDuplicates().hasSize(3);
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
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.fail(type, message);
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure).hasMessage("backend comfyui: node 3 (KSampler) of " + server.url().getAuthority()
                + " failed: " + type + ": " + message);
        assertThat(failure.retryable()).isEqualTo(retryable);
    }

    @Test
    void what_another_user_interrupted_is_tried_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.interruptWhateverIsDrawn();
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure).hasMessage(
                "backend comfyui: somebody interrupted " + server.url().getAuthority() + " while it drew the picture");
        assertThat(failure.retryable()).isTrue();
    }

    @Test
    void a_graph_that_the_server_would_draw_in_part_is_taken_back() {
        server.drawSlowly();
        server.leaveOut("12");
        assertThatThrownBy(() -> backend(MODEL).generate(request(), (_, _) -> {}))
                .hasMessageContaining("node 12 (SaveImage): Required input is missing: images")
                .isInstanceOfSatisfying(JobFailedException.class, e -> assertThat(e.retryable()).isFalse());
        assertThat(server.calls()).isOne();
    }

    @Test
    void a_picture_that_is_larger_than_it_may_be_is_not_taken() {
        assertThatThrownBy(
                () -> backend(server.url(), http, 20, Duration.ofSeconds(30)).generate(request(), (_, _) -> {}))
                .hasMessageContaining("images.bytes (IMAGES_BYTES)");
    }

    @Test
    void what_no_graph_takes_is_refused() {
        assertThat(backend(MODEL).refusal(request(MODEL, Map.of("lora", "x"))).map(Refusal::toString)).contains(
                "params.lora is no parameter of model dreamer_v8.safetensors: use one of sampler_name, scheduler, cfg,"
                        + " clip_skip");
        assertThat(backend()
                .refusal(new ImageRequest("a", Optional.empty(), "unknown.safetensors", 250, 256, 20, 7, Map.of())))
                .map(Refusal::toString).contains("width must be a multiple of 8 for backend comfyui");
        assertThat(backend(MODEL).info().can(Feature.INPUT_IMAGE)).isTrue();
    }

    @Test
    void settings_without_a_url_are_refused() {
        var keyAlone = new RemoteBackendSettings(Optional.empty(), Optional.of(new Secret("k")), List.of());
        assertThatThrownBy(() -> new ComfyUiBackend(keyAlone, Optional.empty(), http, 1, Duration.ofSeconds(1)))
                .hasMessage("backends.comfyui.url (BACKENDS_COMFYUI_URL) must be set where the key is");
    }
}
