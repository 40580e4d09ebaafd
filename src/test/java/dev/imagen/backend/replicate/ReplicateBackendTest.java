package dev.imagen.backend.replicate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Size;
import dev.imagen.backend.remote.Pace;
import dev.imagen.backend.remote.RemoteBackendContract;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.KeyWatch;
import dev.imagen.testing.ReplicateServer;
import dev.imagen.testing.SampleImages;
import java.net.URI;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReplicateBackendTest extends RemoteBackendContract {

    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final String SCHNELL = "black-forest-labs/flux-schnell";
    private static final String DEV = "black-forest-labs/flux-dev";
    private static final String SDXL = "stability-ai/sdxl:" + ReplicateServer.VERSION;
    private static final String UNKNOWN = "leonardoai/phoenix-1.0";

    /** As the usual one, but nobody waits for it. */
    private static final Pace QUICK = new Pace(Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofMillis(300));

    private static final ObjectMapper JSON = new ObjectMapper();

    private final RemoteHttp http = new RemoteHttp();
    private ReplicateServer server;

    @Override
    protected ContractServer startServer() throws Exception {
        var started = ReplicateServer.start();
        server = server == null ? started : server;
        return started;
    }

    @Override
    protected ImageBackend backend(URI url, RemoteHttp http, long mostBytes, Duration longest) {
        return new ReplicateBackend(settings(url), http, mostBytes, longest, QUICK);
    }

    private static RemoteBackendSettings settings(URI url, String... models) {
        return new RemoteBackendSettings(Optional.of(url), Optional.of(new Secret(ReplicateServer.KEY)),
                List.of(models));
    }

    @Override
    protected ImageRequest request() {
        return request(SCHNELL, 1216, 832, 4, Map.of());
    }

    private static ImageRequest request(String model, int width, int height, int steps, Map<String, Object> params) {
        return new ImageRequest("a harbour at dusk", Optional.empty(), model, width, height, steps, 7, params);
    }

    @Override
    protected String job() {
        return """
                {"prompt": "a harbour at dusk", "backend": "replicate", "width": 1216, "height": 832}""";
    }

    @Override
    protected String jobWithParams() {
        return """
                {"prompt": "a harbour at dusk", "backend": "replicate", "seed": 7, "steps": 2,
                 "params": {"output_format": "png", "go_fast": false, "input": {"disable_safety_checker": false}}}""";
    }

    @Override
    protected String key() {
        return ReplicateServer.KEY;
    }

    @Override
    protected List<Documented> errors() {
        return List.of(
                error("bad input", 422, "Input validation failed", "- input.num_outputs: Must be less\\n", false,
                        "- input.num_outputs: Must be less"),
                error("wrong token", 401, "Unauthenticated", "You did not pass a valid authentication token", false,
                        "authentication token; check backends.replicate.key (BACKENDS_REPLICATE_KEY)"),
                error("no money", 402, "Insufficient credit", "You have insufficient credit to run this model.", false,
                        "You have insufficient credit"),
                error("no such model", 404, "Not found", "The requested resource could not be found.", false,
                        "could not be found. (only official models go without a version"),
                error("throttled", 429, "Too many requests", "Request was throttled. Your rate limit resets in ~30s.",
                        true, "Request was throttled"),
                error("server error", 500, "Internal server error", "Something went wrong", true,
                        "Something went wrong"),
                failed("a model that failed", "CUDA out of memory. Tried to allocate 9.00 GiB", true,
                        "the model failed: CUDA out of memory"),
                failed("an interrupted prediction", "Prediction interrupted; please retry (code: PA)", true,
                        "please retry"));
    }

    private static Documented error(String name, int status, String title, String detail, boolean retryable,
            String told) {
        return new Documented(name, status, Map.of(),
                "{\"title\": \"" + title + "\", \"detail\": \"" + detail + "\", \"status\": " + status + "}", retryable,
                told);
    }

    private static Documented failed(String name, String error, boolean retryable, String told) {
        return new Documented(name, 201, Map.of(),
                "{\"id\": \"p1\", \"status\": \"failed\", \"output\": null, \"error\": \"" + error + "\"}", retryable,
                told);
    }

    @Override
    protected Documented moderation() {
        return failed("moderation", "All generated images contained NSFW content. Try a different prompt.", false,
                "the provider's moderation refused it: All generated images contained NSFW content.");
    }

    @AfterEach
    void closeHttp() {
        http.close();
    }

    private ReplicateBackend backend(String... models) {
        return new ReplicateBackend(settings(server.url(), models), http, 100_000, LONGEST, QUICK);
    }

    private JobFailedException failure(ImageBackend backend) {
        return catchThrowableOfType(JobFailedException.class, () -> backend.generate(request(), (_, _) -> {}));
    }

    /** A call by a thread of its own. */
    private static final class Caller {

        private final CompletableFuture<Throwable> end = new CompletableFuture<>();
        private final LinkedBlockingQueue<Integer> steps = new LinkedBlockingQueue<>();
        private final Thread thread;

        Caller(ImageBackend backend, ImageRequest request) {
            thread = Thread.ofVirtual().start(
                    () -> end.complete(catchThrowable(() -> backend.generate(request, (step, _) -> steps.add(step)))));
        }

        Throwable awaitEnd() throws Exception {
            return end.get(20, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            black-forest-labs/flux-schnell | 1216 | 832 | 4  | {"prompt":"a harbour at dusk","aspect_ratio":"3:2","megapixels":"1","seed":7,"num_inference_steps":4,"num_outputs":1}
            black-forest-labs/flux-schnell | 512  | 512 | 1  | {"prompt":"a harbour at dusk","aspect_ratio":"1:1","megapixels":"0.25","seed":7,"num_inference_steps":1,"num_outputs":1}
            black-forest-labs/flux-1.1-pro | 1440 | 800 | 0  | {"prompt":"a harbour at dusk","aspect_ratio":"custom","width":1440,"height":800,"seed":7}
            black-forest-labs/flux-2-pro   | 2048 | 1024 | 0 | {"prompt":"a harbour at dusk","aspect_ratio":"custom","width":2048,"height":1024,"seed":7}
            google/imagen-4                | 1408 | 768 | 0  | {"prompt":"a harbour at dusk","aspect_ratio":"16:9"}
            """)
    void each_model_is_asked_for_what_it_knows(String model, int width, int height, int steps, String input)
            throws Exception {
        var request = request(model, width, height, steps, Map.of());
        assertThat(backend(model).refusal(request)).isEmpty();
        var picture = backend(model).generate(request, (_, _) -> {}).pictures().getFirst();
        assertThat(server.last()).hasToString(input);
        assertThat(server.lastCall()).isEqualTo("/v1/models/" + model + "/predictions wait=5 30s");
        assertThat(ImageFile.read(picture.bytes()).width()).isEqualTo(width);
    }

    @Test
    void a_version_is_run_as_one_and_a_deployment_too() throws Exception {
        var request = new ImageRequest("a harbour", Optional.of("fog"), SDXL, 768, 512, 30, 7,
                Map.of("guidance_scale", 6.5, "input", Map.of("scheduler", "DDIM")));
        backend(SDXL).generate(request, (_, _) -> {});
        assertThat(server.lastCall()).startsWith("/v1/predictions ");
        assertThat(server.last()).hasToString("{\"prompt\":\"a harbour\",\"width\":768,\"height\":512,\"seed\":7,"
                + "\"num_inference_steps\":30,\"num_outputs\":1,\"negative_prompt\":\"fog\",\"guidance_scale\":6.5,\"scheduler\":\"DDIM\"}");
        backend("deployments/acme/painter").generate(request("deployments/acme/painter", 1024, 1024, 0, Map.of()),
                (_, _) -> {});
        assertThat(server.lastCall()).startsWith("/v1/deployments/acme/painter/predictions ");
    }

    @Test
    void a_model_that_nobody_here_knows_gets_the_prompt_and_what_the_job_names() throws Exception {
        var request = request(UNKNOWN, 1024, 1024, 0, Map.of("input", Map.of("style", "cinematic")));
        assertThat(backend(UNKNOWN).refusal(request)).isEmpty();
        assertThat(backend(UNKNOWN).generate(request, (_, _) -> {}).pictures()).hasSize(1);
        assertThat(server.last()).hasToString("{\"prompt\":\"a harbour at dusk\",\"style\":\"cinematic\"}");
    }

    @Test
    void a_picture_to_begin_with_goes_along_where_the_model_knows_one() throws Exception {
        var input = new InputPicture(SampleImages.png(40, 30), "image/png", 0.6);
        var request = new ImageRequest("a harbour", Optional.empty(), DEV, 1024, 1024, 28, 7, Map.of(), 1,
                Optional.of(input));
        assertThat(backend(DEV).refusal(request)).isEmpty();
        backend(DEV).generate(request, (_, _) -> {});
        assertThat(server.last().path("image").textValue())
                .isEqualTo("data:image/png;base64," + Base64.getEncoder().encodeToString(input.bytes()));
        assertThat(server.last().path("prompt_strength").doubleValue()).isEqualTo(0.6);
        var large = new ImageRequest("a harbour", Optional.empty(), DEV, 1024, 1024, 28, 7, Map.of(), 1,
                Optional.of(new InputPicture(new byte[10_000_001], "image/png", 0.6)));
        assertThatThrownBy(() -> backend(DEV).generate(large, (_, _) -> {}))
                .hasMessage("backend replicate: input_image_id is of a picture of 10000001 bytes, must have at most"
                        + " 10000000 to be sent");
        assertThat(server.calls()).isOne();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            black-forest-labs/flux-schnell | guidance | 3 | params.guidance is no parameter that ImaGen knows of model black-forest-labs/flux-schnell: set it within params.input if the model has it
            leonardoai/phoenix-1.0 | output_format | png | params.output_format is no parameter that ImaGen knows of model leonardoai/phoenix-1.0: set it within params.input if the model has it
            google/imagen-4 | output_format | webp | params.output_format must be jpg or png for model google/imagen-4
            google/imagen-4 | output_format | png |
            black-forest-labs/flux-dev | go_fast | false |
            """)
    void what_a_model_does_not_take_is_refused_before_it_is_asked(String model, String parameter, String value,
            String refusal) {
        assertThat(
                backend(model).refusal(request(model, 1024, 1024, 4, Map.of(parameter, value))).map(Refusal::toString))
                .isEqualTo(Optional.ofNullable(refusal));
    }

    @Test
    void inputs_that_the_job_has_fields_for_are_not_set_behind_their_back() {
        var request = request(SCHNELL, 1024, 1024, 4, Map.of("input", Map.of("seed", 9)));
        assertThat(backend(SCHNELL).refusal(request)).get()
                .hasToString("params.input.seed is set by the job's own fields: leave it out");
    }

    @Test
    void each_model_tells_what_it_does() {
        var info = backend(SCHNELL, DEV, SDXL, UNKNOWN).info();
        assertThat(info.abilitiesOf(SCHNELL).maxSteps()).isEqualTo(4);
        assertThat(info.abilitiesOf(DEV).can(Feature.INPUT_IMAGE)).isTrue();
        assertThat(info.abilitiesOf(SDXL).can(Feature.NEGATIVE_PROMPT)).isTrue();
        assertThat(info.abilitiesOf(UNKNOWN)).isEqualTo(new BackendInfo.Abilities(Set.of(), 0, 0));
        assertThat(info.sizesOf(DEV).nearest(new Size(1920, 1080))).hasToString("1344x768");
        assertThat(info.sizesOf(SDXL).nearest(new Size(1001, 700))).hasToString("1000x696");
        assertThat(backend().info().models()).isEqualTo(ModelFamily.MODELS);
    }

    @Test
    void every_picture_of_an_output_is_one_of_the_generation_in_whatever_form_it_comes() throws Exception {
        var png = "data:image/png;base64," + Base64.getEncoder().encodeToString(SampleImages.png(40, 30));
        var file = server.url() + server.keep(SampleImages.png(40, 30));
        server.giveOut(JSON.readTree("{\"images\": [\"" + png + "\", \"" + file + "\"], \"caption\": \"a harbour\"}"));
        var generation = backend().generate(request(), (_, _) -> {});
        assertThat(generation.pictures()).hasSize(2)
                .allSatisfy(picture -> assertThat(ImageFile.read(picture.bytes()).width()).isEqualTo(40));
        assertThat(generation.metered()).isEqualTo(Metered.NOTHING);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "\"a poem\"", "[]", "{\"text\": \"file:///etc/passwd\"}"})
    void an_output_without_a_picture_is_a_failure_for_good(String output) throws Exception {
        server.giveOut(JSON.readTree(output));
        var failure = failure(backend());
        assertThat(failure)
                .hasMessageStartingWith("backend replicate: there is no picture in the output of the prediction ");
        assertThat(failure.retryable()).isFalse();
    }

    @Test
    void no_other_host_sees_the_key() throws Exception {
        try (var other = new KeyWatch()) {
            server.giveOut(JSON.getNodeFactory().textNode(other.url() + "/a.png"));
            assertThat(backend().generate(request(), (_, _) -> {}).pictures()).hasSize(1);
            assertThat(other.authorizations()).containsExactly(Optional.empty());
        }
    }

    @Test
    void steps_are_told_from_the_progress_bar_of_the_logs() throws Exception {
        server.runSlowly();
        var caller = new Caller(backend(DEV), request(DEV, 1024, 1024, 28, Map.of()));
        server.awaitBegun();
        server.print(
                "Using seed: 7\n 50%|█████     | 4/8 [00:01<00:01]\n  7%|▋   | 2/28 [00:01<00:09]\r 25%|██▌  | 7/28 [");
        assertThat(caller.steps.poll(20, TimeUnit.SECONDS)).isEqualTo(7);
        server.print("100%|██████████| 28/28 [00:09<00:00,  3.10it/s]");
        assertThat(caller.steps.poll(20, TimeUnit.SECONDS)).isEqualTo(28);
        server.finish();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void a_cancel_ends_the_prediction_and_does_not_wait_for_it() throws Exception {
        server.runSlowly();
        var backend = backend();
        var caller = new Caller(backend, request());
        server.awaitBegun();
        caller.thread.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        backend.close();
        server.awaitCancelled();
        assertThat(server.statuses()).containsExactly("canceled");
    }

    @Test
    void a_cancel_before_the_prediction_has_its_id_ends_it_too() throws Exception {
        var answer = new CountDownLatch(1);
        server.hold(answer);
        server.runSlowly();
        var patient = new Pace(QUICK.first(), QUICK.most(), Duration.ofSeconds(20));
        var caller = new Caller(new ReplicateBackend(settings(server.url()), http, 100_000, LONGEST, patient),
                request());
        server.awaitCall();
        caller.thread.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        answer.countDown();
        server.awaitCancelled();
        assertThat(server.statuses()).containsExactly("canceled");
    }

    @Test
    void a_prediction_that_takes_too_long_is_cancelled_and_tried_again() throws Exception {
        server.runSlowly();
        var failure = failure(
                new ReplicateBackend(settings(server.url()), http, 100_000, Duration.ofMillis(200), QUICK));
        assertThat(failure).hasMessage("backend replicate: there is no picture after 0 s");
        assertThat(failure.retryable()).isTrue();
        server.awaitCancelled();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            canceled | somebody cancelled the prediction
            aborted  | had not begun when its time was up
            """)
    void a_prediction_that_others_end_is_tried_again(String status, String message) throws Exception {
        server.runSlowly();
        var caller = new Caller(backend(), request());
        server.awaitPolls(1);
        server.end(status);
        assertThat(caller.awaitEnd()).hasMessageContaining(message).isInstanceOfSatisfying(JobFailedException.class,
                e -> assertThat(e.retryable()).isTrue());
    }

    @Test
    void a_prediction_that_disappears_is_looked_for_and_then_tried_again() throws Exception {
        server.runSlowly();
        var caller = new Caller(backend(), request());
        server.awaitPolls(1);
        server.forget();
        assertThat(caller.awaitEnd()).hasMessageContaining("has disappeared: The requested resource")
                .isInstanceOfSatisfying(JobFailedException.class, e -> assertThat(e.retryable()).isTrue());
    }

    @Test
    void questions_that_fail_do_not_lose_what_is_paid_for() throws Exception {
        server.runSlowly();
        var caller = new Caller(backend(), request());
        server.awaitBegun();
        server.nextPoll(ContractServer.status(502, Map.of(), "<html>"));
        server.nextPoll(ContractServer.breaking());
        server.nextPoll(ContractServer.status(404, Map.of(), "{}"));
        server.nextPoll(ContractServer.content("application/json", "{\"id\""));
        server.awaitPolls(5);
        server.finish();
        assertThat(caller.awaitEnd()).isNull();
        assertThat(server.calls()).isOne();
    }

    @ParameterizedTest
    @CsvSource({"'{\"detail\": \"Your rate limit resets in ~30s.\"}', 30", "'{\"retry_after\": 9}', 9"})
    void how_long_to_wait_is_read_from_the_words_too(String json, int seconds) {
        server.next(ContractServer.status(429, Map.of(), json));
        assertThat(failure(backend()).retryAfter()).contains(Duration.ofSeconds(seconds));
    }

    @Test
    void a_probe_tells_whether_the_key_works() throws Exception {
        backend().probe();
        var wrong = new ReplicateBackend(new RemoteBackendSettings(Optional.of(URI.create(server.url() + "/v1")),
                Optional.of(new Secret("r8")), List.of()), http, 100_000, LONGEST);
        assertThatThrownBy(wrong::probe).hasMessageContaining("check backends.replicate.key (BACKENDS_REPLICATE_KEY)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"flux", "a/b/c", "a/b:latest", "a b/c", "../x", "a/b?c"})
    void what_is_no_name_of_a_model_is_refused_at_the_start(String model) {
        assertThatThrownBy(() -> backend(model)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("backends.replicate.models (BACKENDS_REPLICATE_MODELS) has '" + model
                        + "', must be owner/name, owner/name:version or deployments/owner/name");
    }
}
