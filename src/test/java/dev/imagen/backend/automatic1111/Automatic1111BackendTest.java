package dev.imagen.backend.automatic1111;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Size;
import dev.imagen.backend.remote.RemoteBackendContract;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.Automatic1111Server;
import dev.imagen.testing.Automatic1111Server.Kind;
import dev.imagen.testing.Await;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class Automatic1111BackendTest extends RemoteBackendContract {

    @RegisterExtension
    static final TestDatabase JOBS = new TestDatabase();

    private static final Duration LONGEST = Duration.ofSeconds(30);
    /** Between two questions about the same picture. */
    private static final Duration SOON = Duration.ofMillis(50);

    private final RemoteHttp http = new RemoteHttp();
    private Automatic1111Server server;

    @Override
    protected ContractServer startServer() throws Exception {
        var started = Automatic1111Server.start();
        server = server == null ? started : server;
        return started;
    }

    @Override
    protected ImageBackend backend(URI url, RemoteHttp http, long mostBytes, Duration longest) {
        return new Automatic1111Backend(settings(url, Automatic1111Server.KEY), http, mostBytes, longest, SOON);
    }

    private static RemoteBackendSettings settings(URI url, String key, String... models) {
        return new RemoteBackendSettings(Optional.of(url), Optional.ofNullable(key).map(Secret::new), List.of(models));
    }

    @Override
    protected ImageRequest request() {
        return request("loaded", Map.of());
    }

    private static ImageRequest request(String model, Map<String, Object> params) {
        return new ImageRequest("a harbour at dusk", Optional.of("fog"), model, 256, 384, 20, 7, params);
    }

    @Override
    protected String job() {
        return """
                {"prompt": "a harbour at dusk", "backend": "automatic1111", "width": 256, "height": 384}""";
    }

    @Override
    protected String jobWithParams() {
        return """
                {"prompt": "a harbour at dusk", "backend": "automatic1111", "params": {"cfg_scale": 6.5}}""";
    }

    @Override
    protected String key() {
        return Automatic1111Server.KEY;
    }

    @Override
    protected List<Documented> errors() {
        return List.of(
                error("out of memory", 500, "OutOfMemoryError", "", "CUDA out of memory. Tried to allocate 9.00 GiB",
                        true, "OutOfMemoryError: CUDA out of memory. Tried to allocate 9.00 GiB"),
                error("wrong login", 401, "HTTPException", "Incorrect username or password", "", false,
                        "Incorrect username or password; check backends.automatic1111.key (BACKENDS_AUTOMATIC1111_KEY)"),
                error("unknown sampler", 404, "HTTPException", "Sampler not found", "", false,
                        "does not know the sampler"),
                error("unknown sampler of Forge", 400, "HTTPException", "Sampler not found", "", false,
                        "does not know the sampler"),
                error("unknown model", 500, "RuntimeError", "", "model 'x' not found", false,
                        "does not know the model \"loaded\""),
                error("NaNs", 500, "NansException", "", "A tensor with NaNs was produced in Unet.", false, "--no-half"),
                error("no such API", 404, "HTTPException", "Not Found", "", false,
                        "the web UI needs the option --api; check backends.automatic1111.url"),
                error("anything else", 500, "RuntimeError", "", "mat1 and mat2 shapes cannot be multiplied", true,
                        "RuntimeError: mat1 and mat2"),
                new Documented("bad field", 422, Map.of(),
                        "{\"detail\": [{\"loc\": [\"body\", \"steps\"], \"msg\": \"not an integer\"}]}", false,
                        "steps: not an integer"),
                new Documented("error of sd-server", 400, Map.of(), "{\"error\": \"prompt required\"}", false,
                        "prompt required"));
    }

    private static Documented error(String name, int status, String error, String detail, String errors,
            boolean retryable, String told) {
        return new Documented(name, status, Map.of(), "{\"error\": \"" + error + "\", \"detail\": \"" + detail
                + "\", \"body\": \"\", \"errors\": \"" + errors + "\"}", retryable, told);
    }

    /** The servers themselves refuse nothing; what stands before one may. */
    @Override
    protected Documented moderation() {
        return new Documented("moderation", 400, Map.of(), "{\"detail\": \"refused by moderation\"}", false,
                "refused by moderation");
    }

    @AfterEach
    void closeHttp() {
        http.close();
    }

    private Automatic1111Backend backend(String... models) {
        return new Automatic1111Backend(settings(server.url(), Automatic1111Server.KEY, models), http, 100_000, LONGEST,
                SOON);
    }

    private JobFailedException failure(String model, Map<String, Object> params) {
        return catchThrowableOfType(JobFailedException.class,
                () -> backend(model).generate(request(model, params), (_, _) -> {}));
    }

    /** A call by a thread of its own. */
    private static final class Caller implements Progress {

        private final CompletableFuture<Throwable> end = new CompletableFuture<>();
        private final LinkedBlockingQueue<Integer> steps = new LinkedBlockingQueue<>();
        private final LinkedBlockingQueue<byte[]> previews = new LinkedBlockingQueue<>();
        private final boolean watches;
        private final Thread thread;

        Caller(ImageBackend backend) {
            this(backend, false);
        }

        Caller(ImageBackend backend, boolean watches) {
            this.watches = watches;
            thread = Thread.ofVirtual().start(
                    () -> end.complete(catchThrowable(() -> backend.generate(request("loaded", Map.of()), this))));
        }

        @Override
        public void finished(int step, int all) {
            steps.add(step);
        }

        @Override
        public boolean previewWanted() {
            return watches;
        }

        @Override
        public void preview(byte[] picture) {
            previews.add(picture);
        }

        /** How wide the next preview is. */
        int awaitPreview() throws Exception {
            return ImageFile.read(Await.next(previews, "a preview")).width();
        }

        Throwable awaitEnd() throws Exception {
            return end.get(20, TimeUnit.SECONDS);
        }

        int awaitStep() throws InterruptedException {
            var step = steps.poll(20, TimeUnit.SECONDS);
            return step == null ? -1 : step;
        }
    }

    @Test
    void the_request_says_all_that_the_job_does() throws Exception {
        backend().generate(request(), (_, _) -> {});
        assertThat(server.last().toString()).startsWith("{\"prompt\":\"a harbour at dusk\",\"negative_prompt\":\"fog\","
                + "\"seed\":7,\"steps\":20,\"width\":256,\"height\":384,\"batch_size\":1,\"n_iter\":1,"
                + "\"send_images\":true,\"save_images\":false,\"force_task_id\":\"task(imagen-");
        assertThat(server.last().has("override_settings")).isFalse();
    }

    @Test
    void parameters_go_as_they_are_and_settings_are_restored_afterwards() throws Exception {
        backend(Automatic1111Server.OTHER).generate(
                request(Automatic1111Server.OTHER,
                        Map.of("sampler_name", "Euler a", "scheduler", "Karras", "cfg_scale", 5.5, "clip_skip", 2,
                                "restore_faces", true, "tiling", false, "subseed", 3, "subseed_strength", 0.25)),
                (_, _) -> {});
        assertThat(server.last().path("sampler_name").textValue()).isEqualTo("Euler a");
        assertThat(server.last().path("cfg_scale").doubleValue()).isEqualTo(5.5);
        assertThat(server.last().path("override_settings"))
                .hasToString("{\"sd_model_checkpoint\":\"painter_xl\",\"CLIP_stop_at_last_layers\":2}");
        assertThat(server.last().path("override_settings_restore_afterwards").booleanValue()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void every_kind_of_server_draws(Kind kind) throws Exception {
        server.as(kind);
        assertThat(backend().generate(request(), (_, _) -> {}).pictures()).hasSize(1);
    }

    @Test
    void the_grid_before_the_first_picture_is_left_out() throws Exception {
        server.sendGrid();
        var pictures = backend().generate(request(), (_, _) -> {}).pictures();
        assertThat(pictures).hasSize(1);
        assertThat(ImageFile.read(pictures.getFirst().bytes()).width()).isEqualTo(256);
    }

    @ParameterizedTest
    @CsvSource({"AUTOMATIC1111, sketcher", "FORGE, sketcher", "SD_SERVER, dreamer_v8"})
    void a_picture_by_another_model_than_the_job_names_is_not_taken(Kind kind, String model) {
        server.as(kind);
        var failure = failure(model, Map.of());
        if (kind == Kind.SD_SERVER) {
            // It tells no model, and has but one.
            assertThat(failure).isNull();
        } else {
            assertThat(failure).hasMessageContaining("does not know the model \"sketcher\"");
            assertThat(failure.retryable()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"painter_xl", "painter_xl.safetensors [31e35c80fc]"})
    void a_model_may_be_named_as_the_server_lists_it(String model) {
        assertThat(failure(model, Map.of())).isNull();
    }

    @ParameterizedTest
    @EnumSource(value = Kind.class, names = {"AUTOMATIC1111", "FORGE"})
    void a_sampler_that_the_server_does_not_have_is_named(Kind kind) {
        server.as(kind);
        var failure = failure(Automatic1111Server.LOADED, Map.of("sampler_name", "Magic"));
        assertThat(failure).hasMessage("backend automatic1111: " + server.url().getAuthority()
                + " does not know the sampler \"Magic\": set another as params.sampler_name");
        assertThat(failure.retryable()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(value = Kind.class, names = {"AUTOMATIC1111", "SDNEXT"})
    void steps_are_told_while_the_call_runs(Kind kind) throws Exception {
        server.as(kind).drawSlowly();
        var caller = new Caller(backend());
        server.awaitDrawing();
        server.draw(5);
        assertThat(caller.awaitStep()).isBetween(1, 5);
        server.draw(7);
        for (int step = 0; step < 12;) {
            step = caller.awaitStep();
            assertThat(step).isPositive();
        }
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
        assertThat(server.previewsAsked()).as("while nobody watches").isZero();
    }

    @Test
    void the_steps_of_another_users_picture_are_not_told() throws Exception {
        server.drawSlowly();
        server.anotherUserDraws("theirs");
        var caller = new Caller(backend());
        server.awaitPending();
        server.draw(15);
        server.awaitQuestions(2);
        server.draw(5);
        server.awaitDrawing();
        server.draw(2);
        assertThat(caller.awaitStep()).isBetween(1, 2);
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void whoever_watches_sees_the_picture_so_far() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(), true);
        server.awaitDrawing();
        server.draw(5);
        assertThat(caller.awaitPreview()).isEqualTo(105);
        server.draw(1);
        assertThat(caller.awaitPreview()).isEqualTo(106);
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void a_preview_is_not_shown_where_another_users_picture_began_in_the_moment_of_the_question() throws Exception {
        server.drawSlowly();
        var answers = server.holdAnswers();
        var caller = new Caller(backend(), true);
        server.awaitDrawing();
        server.anotherUserDraws("theirs");
        server.nextBeginsWhileAsked();
        server.draw(1);
        caller.awaitStep();
        for (int asked = 0; asked == 0; asked = server.previewsAsked()) {
            server.awaitQuestions(1);
        }
        // The one that tells that it is no longer ours, and one after it.
        server.awaitQuestions(2);
        assertThat(caller.previews).isEmpty();
        server.drawFast();
        answers.countDown();
        assertThat(caller.awaitEnd()).isNull();
        assertThat(caller.previews).isEmpty();
    }

    @Test
    void a_server_that_does_not_say_whose_picture_it_draws_shows_none() throws Exception {
        server.as(Kind.SDNEXT).drawSlowly();
        server.anotherUserDraws("theirs");
        var caller = new Caller(backend(), true);
        server.awaitPending();
        server.draw(15);
        assertThat(caller.awaitStep()).isPositive();
        server.awaitQuestions(2);
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
        assertThat(caller.previews).isEmpty();
        assertThat(server.previewsAsked()).isZero();
    }

    @Test
    void previews_that_are_too_large_do_not_cost_the_steps() throws Exception {
        server.sendHugePreviews();
        server.drawSlowly();
        var caller = new Caller(backend(), true);
        server.awaitDrawing();
        server.draw(5);
        assertThat(caller.awaitStep()).isBetween(1, 5);
        for (int asked = 0; asked == 0; asked = server.previewsAsked()) {
            server.awaitQuestions(1);
        }
        server.draw(7);
        for (int step = 0; step < 12;) {
            step = caller.awaitStep();
            assertThat(step).isPositive();
        }
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
        assertThat(caller.previews).isEmpty();
        assertThat(server.previewsAsked()).isOne();
    }

    @Test
    void a_cancel_ends_the_picture_at_the_server() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend());
        server.awaitDrawing();
        caller.thread.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitIdle();
        assertThat(server.interrupted()).hasSize(1).first().asString().startsWith("task(imagen-");
    }

    @Test
    void a_job_shows_its_steps_and_takes_its_picture_along_when_it_is_cancelled() throws Exception {
        server.drawSlowly();
        try (var service = TestService.on(JOBS).backend(backend()).start()) {
            var id = service.client().submit(job()).id();
            try (var events = service.client().events("/jobs/" + id + "/events")) {
                server.awaitDrawing();
                server.draw(5);
                var progress = events.next("progress").data();
                assertThat(progress.path("step").intValue()).isBetween(1, 5);
                assertThat(progress.path("steps").intValue()).isEqualTo(20);
                while (progress.path("preview").isNull()) {
                    progress = events.next("progress").data();
                }
                assertThat(progress.path("preview").textValue()).startsWith("data:image/jpeg;base64,");
                service.client().post("/jobs/" + id + "/cancel");
                assertThat(events.awaitStatus("cancelled").data().path("image_id").isNull()).isTrue();
            }
            server.awaitInterrupt();
            server.awaitIdle();
        }
        assertThat(server.interrupted()).hasSize(1).first().asString().startsWith("task(imagen-");
    }

    @Test
    void a_call_that_takes_too_long_ends_the_picture_at_the_server() throws Exception {
        server.drawSlowly();
        var caller = new Caller(new Automatic1111Backend(settings(server.url(), Automatic1111Server.KEY), http, 100_000,
                Duration.ofMillis(400), SOON));
        assertThat(caller.awaitEnd()).hasMessageContaining("no whole answer from");
        server.awaitIdle();
        assertThat(server.interrupted()).hasSize(1).first().asString().startsWith("task(imagen-");
    }

    @Test
    void a_cancel_while_another_users_picture_is_drawn_waits_for_its_own_turn() throws Exception {
        server.drawSlowly();
        server.anotherUserDraws("theirs");
        var caller = new Caller(backend());
        server.awaitPending();
        caller.thread.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.draw(20);
        server.awaitInterrupt();
        server.awaitIdle();
        assertThat(server.interrupted()).hasSize(1).first().asString().startsWith("task(imagen-");
    }

    @Test
    void a_server_that_does_not_say_whose_picture_it_draws_is_not_interrupted() throws Exception {
        server.as(Kind.SDNEXT).drawSlowly();
        var backend = backend();
        var caller = new Caller(backend);
        server.awaitDrawing();
        caller.thread.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        backend.close();
        assertThat(server.interrupted()).isEmpty();
        server.drawFast();
        server.awaitIdle();
    }

    @Test
    void a_picture_that_is_nearly_done_is_not_interrupted_since_the_next_could_be_another_users() throws Exception {
        server.guessLeft(0.5);
        server.drawSlowly();
        var backend = backend();
        var caller = new Caller(backend);
        server.awaitDrawing();
        server.draw(19);
        caller.thread.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        backend.close();
        assertThat(server.interrupted()).isEmpty();
        server.drawFast();
        server.awaitIdle();
    }

    @ParameterizedTest
    @EnumSource(value = Kind.class, names = {"AUTOMATIC1111", "FORGE"})
    void what_another_user_interrupted_is_no_picture_and_tried_again(Kind kind) throws Exception {
        server.as(kind).drawSlowly();
        var caller = new Caller(backend());
        server.awaitDrawing();
        server.interruptWhateverIsDrawn();
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure).hasMessage("backend automatic1111: somebody interrupted " + server.url().getAuthority()
                + " while it drew the picture");
        assertThat(failure.retryable()).isTrue();
    }

    @Test
    void one_picture_at_a_time_is_asked_for() throws Exception {
        server.drawSlowly();
        var backend = backend();
        var first = new Caller(backend);
        server.awaitDrawing();
        var second = new Caller(backend);
        server.draw(19);
        // Told after half a second: by then the second would have called.
        assertThat(first.awaitStep()).isPositive();
        server.drawFast();
        assertThat(first.awaitEnd()).isNull();
        assertThat(second.awaitEnd()).isNull();
        assertThat(server.calls()).isEqualTo(2);
        assertThat(server.mostAtOnce()).isOne();
    }

    @Test
    void whoever_waits_for_a_turn_can_be_cancelled_and_has_not_called() throws Exception {
        server.drawSlowly();
        var backend = backend();
        var first = new Caller(backend);
        server.awaitDrawing();
        var second = new Caller(backend);
        second.thread.interrupt();
        assertThat(second.awaitEnd()).isInstanceOf(InterruptedException.class);
        assertThat(server.calls()).isOne();
        server.drawFast();
        assertThat(first.awaitEnd()).isNull();
    }

    @Test
    void a_stop_of_the_process_waits_until_the_server_was_told() throws Exception {
        server.drawSlowly();
        var backend = backend();
        var caller = new Caller(backend);
        server.awaitDrawing();
        caller.thread.interrupt();
        backend.close();
        http.close();
        assertThat(server.interrupted()).hasSize(1);
        server.awaitIdle();
    }

    @Test
    void settings_that_cannot_work_are_named() {
        assertThatThrownBy(() -> new Automatic1111Backend(settings(server.url(), "hidden"), http, 1, LONGEST))
                .isInstanceOf(IllegalArgumentException.class).hasMessage(
                        "backends.automatic1111.key (BACKENDS_AUTOMATIC1111_KEY) must be user:password, as the server"
                                + " was given by --api-auth");
        var keyAlone = new RemoteBackendSettings(Optional.empty(), Optional.of(new Secret("a:b")), List.of());
        assertThatThrownBy(() -> new Automatic1111Backend(keyAlone, http, 1, LONGEST))
                .hasMessage("backends.automatic1111.url (BACKENDS_AUTOMATIC1111_URL) must be set where the key is");
    }

    @Test
    void the_model_is_the_loaded_one_unless_the_settings_name_others() {
        assertThat(backend().info().models()).containsExactly("loaded");
        assertThat(backend("a", "b").info().models()).containsExactly("a", "b");
        assertThat(backend("a").info().sizesOf("a").nearest(new Size(1001, 700))).hasToString("1000x696");
    }
}
