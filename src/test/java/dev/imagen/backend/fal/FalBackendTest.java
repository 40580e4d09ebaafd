package dev.imagen.backend.fal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Size;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.Pace;
import dev.imagen.backend.remote.RemoteBackendContract;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.FalServer;
import dev.imagen.testing.KeyWatch;
import dev.imagen.testing.SampleImages;
import java.net.URI;
import java.nio.charset.StandardCharsets;
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

class FalBackendTest extends RemoteBackendContract {

    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final String SCHNELL = "fal-ai/flux/schnell";
    private static final String DEV = "fal-ai/flux/dev";
    private static final String SDXL = "fal-ai/fast-sdxl";
    private static final String UNKNOWN = "acme/painter";

    /** As the usual one, but nobody waits for it. */
    private static final Pace QUICK = new Pace(Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofMillis(300));

    private final RemoteHttp http = new RemoteHttp();
    private FalServer server;

    @Override
    protected ContractServer startServer() throws Exception {
        var started = FalServer.start();
        server = server == null ? started : server;
        return started;
    }

    @Override
    protected ImageBackend backend(URI url, RemoteHttp http, long mostBytes, Duration longest) {
        return new FalBackend(settings(url), http, mostBytes, longest, QUICK);
    }

    private static RemoteBackendSettings settings(URI url, String... models) {
        return new RemoteBackendSettings(Optional.of(url), Optional.of(new Secret(FalServer.KEY)), List.of(models));
    }

    @Override
    protected ImageRequest request() {
        return request(SCHNELL, 768, 512, 4, Map.of());
    }

    private static ImageRequest request(String model, int width, int height, int steps, Map<String, Object> params) {
        return new ImageRequest("a harbour at dusk", Optional.empty(), model, width, height, steps, 7, params);
    }

    @Override
    protected String job() {
        return """
                {"prompt": "a harbour at dusk", "backend": "fal", "width": 768, "height": 512}""";
    }

    @Override
    protected String jobWithParams() {
        return """
                {"prompt": "a harbour at dusk", "backend": "fal", "seed": 7, "steps": 2,
                 "params": {"output_format": "png", "input": {"enable_safety_checker": true}}}""";
    }

    @Override
    protected String key() {
        return FalServer.KEY;
    }

    @Override
    protected List<Documented> errors() {
        return List.of(error("bad input", 422,
                "[{\"loc\": [\"body\", \"num_images\"], \"msg\": \"Input should be less\", \"type\": \"less_than\"},"
                        + " {\"loc\": [\"body\", \"seed\"], \"msg\": \"Input should be whole\", \"type\": \"int\"}]",
                false, "num_images: Input should be less; seed: Input should be whole (request r-7)"),
                error("bad input in words", 422, "\"Unsupported image\"", false, "Unsupported image"),
                error("no key", 401, "\"Authentication is required\"", false,
                        "check backends.fal.key (BACKENDS_FAL_KEY)"),
                error("no money", 403, "\"User is locked. Reason: Exhausted balance.\"", false, "Exhausted balance"),
                error("no such model", 404, "\"Application not found\"", false, "Application not found"),
                error("too many", 429, "\"Too many concurrent requests\"", true, "Too many concurrent requests"),
                new Documented("no runner", 503, Map.of("X-Fal-Error-Type", "runner_scheduling_failure"),
                        "{\"detail\": \"No runner\", \"error_type\": \"runner_scheduling_failure\"}", true,
                        "No runner [runner_scheduling_failure]"),
                new Documented("cancelled", 499, Map.of(),
                        "{\"detail\": \"Request cancelled\", \"error_type\": \"client_cancelled\"}", true,
                        "somebody cancelled the request: Request cancelled"),
                new Documented("not to be repeated", 504, Map.of("X-Fal-Retryable", "false"),
                        "{\"detail\": [{\"loc\": [\"body\"], \"msg\": \"Timed out\", \"type\": \"generation_timeout\"}]}",
                        false, "body: Timed out"),
                new Documented("to be repeated", 400, Map.of("X-Fal-Retryable", "true"), "{\"detail\": \"Later\"}",
                        true, "Later"));
    }

    private static Documented error(String name, int status, String detail, boolean retryable, String told) {
        return new Documented(name, status, Map.of("x-fal-request-id", "r-7"), "{\"detail\": " + detail + "}",
                retryable, told);
    }

    @Override
    protected Documented moderation() {
        return error("moderation", 422,
                "[{\"loc\": [\"body\", \"prompt\"], \"msg\": \"It was flagged.\", \"type\": \"content_policy_violation\"}]",
                false, "the provider's moderation refused it: prompt: It was flagged.");
    }

    @AfterEach
    void closeHttp() {
        http.close();
    }

    private FalBackend backend(String... models) {
        return new FalBackend(settings(server.url(), models), http, 100_000, LONGEST, QUICK);
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
            fal-ai/flux/schnell  | 768  | 512  | 4  | {"prompt":"a harbour at dusk","image_size":{"width":768,"height":512},"seed":7,"num_inference_steps":4,"num_images":1}
            fal-ai/flux-2        | 1024 | 512  | 28 | {"prompt":"a harbour at dusk","image_size":{"width":1024,"height":512},"seed":7,"num_inference_steps":28,"num_images":1}
            fal-ai/flux-pro/v1.1 | 1440 | 800  | 0  | {"prompt":"a harbour at dusk","image_size":{"width":1440,"height":800},"seed":7,"num_images":1}
            fal-ai/flux-2-pro    | 2048 | 1024 | 0  | {"prompt":"a harbour at dusk","image_size":{"width":2048,"height":1024},"seed":7}
            """)
    void each_model_is_asked_for_what_it_knows(String model, int width, int height, int steps, String input)
            throws Exception {
        var request = request(model, width, height, steps, Map.of());
        assertThat(backend(model).refusal(request)).isEmpty();
        var generation = backend(model).generate(request, (_, _) -> {});
        assertThat(server.last()).hasToString(input);
        assertThat(server.lastCall()).isEqualTo("/" + model + " 30");
        assertThat(generation.metered()).isEqualTo(Metered.NOTHING);
        assertThat(ImageFile.read(generation.pictures().getFirst().bytes()).width()).isEqualTo(width);
    }

    @Test
    void negative_words_go_to_the_model_that_knows_them() throws Exception {
        var request = new ImageRequest("a harbour", Optional.of("fog"), SDXL, 768, 512, 25, 7,
                Map.of("guidance_scale", 6.5, "input", Map.of("format", "png")));
        assertThat(backend(SDXL).refusal(request)).isEmpty();
        backend(SDXL).generate(request, (_, _) -> {});
        assertThat(server.last()).hasToString("{\"prompt\":\"a harbour\",\"image_size\":{\"width\":768,\"height\":512},"
                + "\"seed\":7,\"num_inference_steps\":25,\"num_images\":1,\"negative_prompt\":\"fog\",\"guidance_scale\":6.5,"
                + "\"format\":\"png\"}");
    }

    @ParameterizedTest
    @CsvSource({DEV + ", false", SDXL + ", true"})
    void what_begins_with_a_picture_has_a_place_of_its_own(String model, boolean sized) throws Exception {
        var input = new InputPicture(SampleImages.png(40, 30), "image/png", 0.6);
        var request = new ImageRequest("a harbour", Optional.empty(), model, 1024, 1024, 28, 7, Map.of(), 1,
                Optional.of(input));
        assertThat(backend(model).refusal(request)).isEmpty();
        backend(model).generate(request, (_, _) -> {});
        assertThat(server.lastCall()).startsWith("/" + model + "/image-to-image ");
        assertThat(server.last().path("image_url").textValue())
                .isEqualTo("data:image/png;base64," + Base64.getEncoder().encodeToString(input.bytes()));
        assertThat(server.last().path("strength").doubleValue()).isEqualTo(0.6);
        assertThat(server.last().has("image_size")).isEqualTo(sized);
    }

    @Test
    void a_model_that_nobody_here_knows_gets_the_prompt_and_what_the_job_names() throws Exception {
        var request = request(UNKNOWN, 1024, 1024, 0, Map.of("input", Map.of("style", "cinematic")));
        assertThat(backend(UNKNOWN).refusal(request)).isEmpty();
        assertThat(backend(UNKNOWN).generate(request, (_, _) -> {}).pictures()).hasSize(1);
        assertThat(server.last()).hasToString("{\"prompt\":\"a harbour at dusk\",\"style\":\"cinematic\"}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            fal-ai/fast-sdxl  | acceleration  | high | params.acceleration is no parameter that ImaGen knows of model fal-ai/fast-sdxl: set it within params.input if the model has it
            acme/painter      | output_format | png  | params.output_format is no parameter that ImaGen knows of model acme/painter: set it within params.input if the model has it
            fal-ai/flux-2-pro | safety_tolerance | 5 |
            fal-ai/flux/dev   | acceleration  | high |
            """)
    void what_a_model_does_not_take_is_refused_before_it_is_asked(String model, String parameter, String value,
            String refusal) {
        assertThat(
                backend(model).refusal(request(model, 1024, 1024, 4, Map.of(parameter, value))).map(Refusal::toString))
                .isEqualTo(Optional.ofNullable(refusal));
    }

    @Test
    void inputs_that_the_job_has_fields_for_are_not_set_behind_their_back() {
        var request = request(SCHNELL, 1024, 1024, 4, Map.of("input", Map.of("image_size", "square")));
        assertThat(backend(SCHNELL).refusal(request)).get()
                .hasToString("params.input.image_size is set by the job's own fields: leave it out");
    }

    @Test
    void each_model_tells_what_it_does() {
        var info = backend(SCHNELL, DEV, SDXL, UNKNOWN).info();
        assertThat(info.abilitiesOf(SCHNELL).steps()).isEqualTo(4);
        assertThat(info.abilitiesOf(DEV).can(Feature.INPUT_IMAGE)).isTrue();
        assertThat(info.abilitiesOf(SDXL).can(Feature.NEGATIVE_PROMPT)).isTrue();
        assertThat(info.abilitiesOf(UNKNOWN)).isEqualTo(new BackendInfo.Abilities(Set.of(), 0, 0));
        assertThat(info.sizesOf(DEV).nearest(new Size(1920, 1080))).hasToString("1920x1072");
        assertThat(backend().info().models()).isEqualTo(ModelFamily.MODELS);
    }

    @Test
    void requests_are_followed_at_the_server_of_the_setting_whatever_it_calls_itself() throws Exception {
        try (var other = new KeyWatch()) {
            for (String host : List.of("https://queue.fal.run", server.url().toString(), other.url())) {
                server.callItself(host);
                assertThat(backend().generate(request(), (_, _) -> {}).pictures()).hasSize(1);
            }
            assertThat(other.authorizations()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no url", "https://queue.fal.run/fal-ai/flux/requests/other",
            "https://queue.fal.run/../flux/requests/r1", "https://queue.fal.run/fal-ai/flux/requests/r1?a=b",
            "/requests/r1"})
    void addresses_that_are_none_of_a_queue_are_not_followed(String address) {
        server.next(ContractServer.content("application/json", "{\"request_id\": \"r1\", \"response_url\": \"" + address
                + "\", \"status_url\": \"" + address + "/status\", \"cancel_url\": \"" + address + "/cancel\"}"));
        assertThat(failure(backend())).hasMessage(
                "backend fal: there is no request in the answer, or its addresses are not those of a queue");
    }

    @Test
    void a_gateways_own_path_is_not_asked_twice() {
        var answer = """
                {"request_id": "r1", "response_url": "http://gw/proxy/fal-ai/flux/requests/r1",
                 "status_url": "http://gw/proxy/fal-ai/flux/requests/r1/status",
                 "cancel_url": "https://queue.fal.run/fal-ai/flux/requests/r1/cancel"}""";
        var ticket = Ticket.of(new Answer(200, null, answer.getBytes(StandardCharsets.UTF_8), false),
                URI.create("http://gw/proxy"));
        assertThat(ticket).contains(new Ticket("r1", "/fal-ai/flux/requests/r1/status", "/fal-ai/flux/requests/r1",
                "/fal-ai/flux/requests/r1/cancel"));
    }

    @Test
    void no_other_host_sees_the_key() throws Exception {
        try (var other = new KeyWatch()) {
            server.giveOut("{\"images\": [{\"url\": \"" + other.url() + "/a.png\"}]}");
            assertThat(backend().generate(request(), (_, _) -> {}).pictures()).hasSize(1);
            assertThat(other.authorizations()).containsExactly(Optional.empty());
        }
    }

    @Test
    void a_picture_that_the_content_checker_made_black_is_none() throws Exception {
        var file = "{\"url\": \"" + server.url() + server.keep(SampleImages.png(40, 30)) + "\"}";
        server.giveOut("{\"images\": [" + file + "], \"has_nsfw_concepts\": [true]}");
        var failure = failure(backend());
        assertThat(failure).hasMessage("backend fal: the provider's moderation refused the picture: has_nsfw_concepts");
        assertThat(failure.retryable()).isFalse();
        server.giveOut(
                "{\"images\": [" + file + "," + file + "," + file + "], \"has_nsfw_concepts\": [false, true, false]}");
        assertThat(backend().generate(request(), (_, _) -> {}).pictures()).hasSize(2);
    }

    @Test
    void one_picture_may_come_by_itself() throws Exception {
        server.giveOut("{\"image\": {\"url\": \"data:image/png;base64,"
                + Base64.getEncoder().encodeToString(SampleImages.png(40, 30)) + "\"}}");
        assertThat(backend().generate(request(), (_, _) -> {}).pictures()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"images\": []}", "{\"video\": {\"url\": \"https://h/a.mp4\"}}", "7"})
    void a_response_without_a_picture_is_a_failure_for_good(String output) throws Exception {
        server.giveOut(output);
        var failure = failure(backend());
        assertThat(failure).hasMessageContaining("there is no picture in the answer");
        assertThat(failure.retryable()).isFalse();
    }

    @Test
    void a_request_that_was_completed_by_an_error_fails_with_it_at_once() {
        server.nextResponse(ContractServer.status(422, Map.of(),
                "{\"detail\": [{\"loc\": [\"body\", \"image_url\"], \"msg\": \"Too large\", \"type\": \"image_too_large\"}]}"));
        assertThat(failure(backend())).hasMessageContaining("answered 422: image_url: Too large");
        server.nextResponse(ContractServer.status(500, Map.of(),
                "{\"detail\": \"Internal\", \"error_type\": \"runner_server_error\"}"));
        var failure = failure(backend());
        assertThat(failure).hasMessageContaining("answered 500: Internal [runner_server_error]");
        assertThat(failure.retryable()).isTrue();
    }

    @Test
    void a_prompt_that_the_provider_forbids_fails_with_its_reason() {
        var request = new ImageRequest("something forbidden", Optional.empty(), SCHNELL, 512, 512, 4, 1, Map.of());
        assertThatThrownBy(() -> backend().generate(request, (_, _) -> {})).hasMessageContaining(
                "the provider's moderation refused it: prompt: The content could not be processed");
    }

    @Test
    void steps_are_told_from_the_progress_bar_of_the_logs() throws Exception {
        server.runSlowly();
        var caller = new Caller(backend(DEV), request(DEV, 1024, 1024, 28, Map.of()));
        server.print("loading\n 25%|██▌  | 7/28 [00:02<00:06]");
        assertThat(caller.steps.poll(20, TimeUnit.SECONDS)).isEqualTo(7);
        server.finish();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void a_cancel_ends_the_request_and_does_not_wait_for_it() throws Exception {
        server.runSlowly();
        var backend = backend();
        var caller = new Caller(backend, request());
        server.awaitPolls(1);
        caller.thread.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        backend.close();
        server.awaitCancelled();
    }

    @Test
    void a_cancel_before_the_request_has_its_id_ends_it_too() throws Exception {
        var answer = new CountDownLatch(1);
        server.hold(answer);
        server.runSlowly();
        var patient = new Pace(QUICK.first(), QUICK.most(), Duration.ofSeconds(20));
        var caller = new Caller(new FalBackend(settings(server.url()), http, 100_000, LONGEST, patient), request());
        server.awaitCall();
        caller.thread.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        answer.countDown();
        server.awaitCancelled();
    }

    @Test
    void a_request_that_takes_too_long_is_cancelled_and_tried_again() throws Exception {
        server.runSlowly();
        var failure = failure(new FalBackend(settings(server.url()), http, 100_000, Duration.ofMillis(200), QUICK));
        assertThat(failure).hasMessage("backend fal: there is no picture after 0 s");
        assertThat(failure.retryable()).isTrue();
        server.awaitCancelled();
    }

    @Test
    void a_request_that_disappears_is_looked_for_and_then_tried_again() throws Exception {
        server.runSlowly();
        var caller = new Caller(backend(), request());
        server.awaitPolls(1);
        server.forget();
        assertThat(caller.awaitEnd()).hasMessageContaining("has disappeared: Request not found")
                .isInstanceOfSatisfying(JobFailedException.class, e -> assertThat(e.retryable()).isTrue());
    }

    @Test
    void questions_that_fail_do_not_lose_what_is_paid_for() throws Exception {
        server.nextStatus(ContractServer.status(502, Map.of(), "<html>"));
        server.nextStatus(ContractServer.breaking());
        server.nextStatus(ContractServer.status(404, Map.of(), "{}"));
        server.nextStatus(ContractServer.content("application/json", "{\"status\""));
        server.nextResponse(ContractServer.status(503, Map.of(), ""));
        server.nextResponse(ContractServer.breaking());
        assertThat(backend().generate(request(), (_, _) -> {}).pictures()).hasSize(1);
        assertThat(server.calls()).isOne();
    }

    @ParameterizedTest
    @ValueSource(strings = {"flux", "../x", "fal-ai/../x", "a b/c", "fal-ai/flux?x"})
    void what_is_no_name_of_a_model_is_refused_at_the_start(String model) {
        assertThatThrownBy(() -> backend(model)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("backends.fal.models (BACKENDS_FAL_MODELS) has '" + model
                        + "', must be a name such as fal-ai/flux/dev");
    }
}
