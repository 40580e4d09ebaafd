package dev.imagen.backend.gemini;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Size;
import dev.imagen.backend.remote.RemoteBackendContract;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.GeminiServer;
import dev.imagen.testing.SampleImages;
import java.net.URI;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GeminiBackendTest extends RemoteBackendContract {

    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final String FLASH = "gemini-3.1-flash-image";

    private final RemoteHttp http = new RemoteHttp();
    private GeminiServer server;

    @Override
    protected ContractServer startServer() throws Exception {
        var started = GeminiServer.start();
        server = server == null ? started : server;
        return started;
    }

    @Override
    protected ImageBackend backend(URI url, RemoteHttp http, long mostBytes, Duration longest) {
        return new GeminiBackend(settings(url, GeminiServer.KEY), http, mostBytes, longest);
    }

    private static RemoteBackendSettings settings(URI url, String key, String... models) {
        return new RemoteBackendSettings(Optional.of(url), Optional.of(new Secret(key)), List.of(models));
    }

    @Override
    protected ImageRequest request() {
        return request(FLASH, 1264, 848, Map.of());
    }

    private static ImageRequest request(String model, int width, int height, Map<String, Object> params) {
        return new ImageRequest("a harbour at dusk", Optional.empty(), model, width, height, 0, 1, params);
    }

    @Override
    protected String job() {
        return """
                {"prompt": "a harbour at dusk", "backend": "gemini", "width": 1264, "height": 848}""";
    }

    @Override
    protected String jobWithParams() {
        return """
                {"prompt": "a harbour at dusk", "backend": "gemini",
                 "params": {"temperature": 0.5, "safety_threshold": "BLOCK_ONLY_HIGH"}}""";
    }

    @Override
    protected String key() {
        return GeminiServer.KEY;
    }

    @Override
    protected List<Documented> errors() {
        return List.of(
                error("bad field", 400, "INVALID_ARGUMENT", "Unknown name \\\"a\\\": Cannot find field.", false,
                        "Cannot find field. [INVALID_ARGUMENT]"),
                detailed("wrong key", 400, "INVALID_ARGUMENT", "API key not valid.",
                        "{\"@type\": \"type.googleapis.com/google.rpc.ErrorInfo\", \"reason\": \"API_KEY_INVALID\"}",
                        false, "check backends.gemini.key (BACKENDS_GEMINI_KEY)"),
                error("wrong place", 400, "FAILED_PRECONDITION", "User location is not supported", false,
                        "User location is not supported"),
                error("no right", 403, "PERMISSION_DENIED", "Your API key was reported as leaked", false,
                        "reported as leaked [PERMISSION_DENIED]; check backends.gemini.key"),
                error("no such model", 404, "NOT_FOUND", "models/x is not found", false, "models/x is not found"),
                error("quota", 429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", true,
                        "Resource has been exhausted"),
                error("not in the plan", 429, "RESOURCE_EXHAUSTED",
                        "Quota exceeded for metric: free_tier_requests, limit: 0, model: x", false,
                        "the plan of the key has no such model: Quota exceeded"),
                error("overloaded", 503, "UNAVAILABLE", "The model is overloaded.", true, "The model is overloaded."),
                error("internal", 500, "INTERNAL", "An internal error has occurred", true, "An internal error"),
                error("too slow", 504, "DEADLINE_EXCEEDED", "Deadline expired", true, "Deadline expired"),
                new Documented("a picture that was refused", 200, Map.of(),
                        "{\"candidates\": [{\"finishReason\": \"IMAGE_SAFETY\", \"finishMessage\": \"Unable to show\"}]}",
                        false, "the provider's moderation refused the picture: IMAGE_SAFETY: Unable to show"),
                new Documented("no picture", 200, Map.of(), "{\"candidates\": [{\"finishReason\": \"NO_IMAGE\"}]}",
                        true, "the model made no picture (NO_IMAGE)"),
                new Documented("words for a picture", 200, Map.of(),
                        "{\"candidates\": [{\"finishReason\": \"STOP\", \"content\": {\"parts\": [{\"text\":"
                                + " \"planning\", \"thought\": true}, {\"text\": \"I would rather talk.\"}]}}]}",
                        true, "the model made no picture (STOP): I would rather talk."));
    }

    private static Documented error(String name, int code, String status, String message, boolean retryable,
            String told) {
        return detailed(name, code, status, message, "", retryable, told);
    }

    private static Documented detailed(String name, int code, String status, String message, String detail,
            boolean retryable, String told) {
        return new Documented(name, code, Map.of(), "{\"error\": {\"code\": " + code + ", \"message\": \"" + message
                + "\", \"status\": \"" + status + "\", \"details\": [" + detail + "]}}", retryable, told);
    }

    @Override
    protected Documented moderation() {
        return new Documented("moderation", 200, Map.of(),
                "{\"promptFeedback\": {\"blockReason\": \"PROHIBITED_CONTENT\"}, \"usageMetadata\": {}}", false,
                "the provider's moderation refused the prompt: PROHIBITED_CONTENT");
    }

    @AfterEach
    void closeHttp() {
        http.close();
    }

    private GeminiBackend backend(String... models) {
        return new GeminiBackend(settings(server.url(), GeminiServer.KEY, models), http, 100_000, LONGEST);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gemini-2.5-flash-image | 1024 | 1024 | ,"imageConfig":{"aspectRatio":"1:1"}
            gemini-3-pro-image     | 1376 | 768  | ,"imageConfig":{"aspectRatio":"16:9","imageSize":"1K"}
            gemini-3.1-flash-image | 512  | 512  | ,"imageConfig":{"aspectRatio":"1:1","imageSize":"512"}
            gemini-3.1-flash-image | 384  | 3072 | ,"imageConfig":{"aspectRatio":"1:8","imageSize":"1K"}
            gemini-9-image         | 1024 | 1024 | ''
            """)
    void each_model_is_asked_for_what_it_knows(String model, int width, int height, String image) throws Exception {
        var request = request(model, width, height, Map.of());
        assertThat(backend(model).info().sizesOf(model).refusals(request.size(), model)).isEmpty();
        var pictures = backend(model).generate(request, (_, _) -> {}).pictures();
        assertThat(server.last()).hasToString("{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":"
                + "\"a harbour at dusk\"}]}],\"generationConfig\":{\"responseModalities\":[\"TEXT\",\"IMAGE\"]" + image
                + "}}");
        assertThat(pictures).hasSize(1);
        assertThat(ImageFile.read(pictures.getFirst().bytes()).width()).isEqualTo(width);
    }

    @Test
    void parameters_and_a_picture_to_begin_with_go_along() throws Exception {
        var input = new InputPicture(SampleImages.png(40, 30), "image/png", 0.6);
        var request = new ImageRequest("make it night", Optional.empty(), FLASH, 1024, 1024, 0, 1,
                Map.of("temperature", 0.5, "safety_threshold", "BLOCK_ONLY_HIGH"), 1, Optional.of(input));
        assertThat(backend(FLASH).refusal(request)).isEmpty();
        backend(FLASH).generate(request, (_, _) -> {});
        var sent = server.last();
        assertThat(sent.path("contents").path(0).path("parts").path(1).path("inlineData")).hasToString(
                "{\"mimeType\":\"image/png\",\"data\":\"" + Base64.getEncoder().encodeToString(input.bytes()) + "\"}");
        assertThat(sent.path("generationConfig").path("temperature").doubleValue()).isEqualTo(0.5);
        assertThat(sent.path("safetySettings")).hasSize(4)
                .allSatisfy(setting -> assertThat(setting.path("threshold").textValue()).isEqualTo("BLOCK_ONLY_HIGH"));
    }

    @Test
    void tokens_are_told_with_those_of_thoughts_and_nothing_where_none_are_counted() throws Exception {
        assertThat(backend().generate(request(), (_, _) -> {}).metered())
                .isEqualTo(new Metered(Optional.of(9L), Optional.of(1390L), Optional.empty()));
        server.answerWith("{\"candidates\": [{\"content\": {\"parts\": [{\"inlineData\": {\"data\": \""
                + Base64.getEncoder().encodeToString(SampleImages.png(40, 30)) + "\"}}]}}]}");
        assertThat(backend().generate(request(), (_, _) -> {}).metered()).isEqualTo(Metered.NOTHING);
    }

    @Test
    void every_finished_picture_is_one_of_the_generation() throws Exception {
        var part = "{\"inlineData\": {\"mimeType\": \"image/png\", \"data\": \""
                + Base64.getEncoder().encodeToString(SampleImages.png(40, 30)) + "\"}}";
        server.answerWith("{\"candidates\": [{\"content\": {\"parts\": [" + part + ", {\"text\": \"and\"}, " + part
                + "]}, \"finishReason\": \"STOP\"}]}");
        assertThat(backend().generate(request(), (_, _) -> {}).pictures()).hasSize(2);
    }

    @Test
    void a_picture_that_is_no_base64_is_tried_again() throws Exception {
        server.answerWith("{\"candidates\": [{\"content\": {\"parts\": [{\"inlineData\": {\"data\": \"A\"}}]}}]}");
        var failure = catchThrowableOfType(JobFailedException.class, () -> backend().generate(request(), (_, _) -> {}));
        assertThat(failure).hasMessageContaining("the picture in the answer is damaged");
        assertThat(failure.retryable()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"38s, 38000", "1.5s, 1500", "soon, -1"})
    void how_long_to_wait_is_read_from_the_details(String delay, long millis) {
        server.next(ContractServer.status(429, Map.of(),
                "{\"error\": {\"code\": 429, \"message\": \"m\", \"status\": \"RESOURCE_EXHAUSTED\", \"details\": ["
                        + "{\"@type\": \"type.googleapis.com/google.rpc.Help\"},"
                        + "{\"@type\": \"type.googleapis.com/google.rpc.RetryInfo\", \"retryDelay\": \"" + delay
                        + "\"}]}}"));
        var failure = catchThrowableOfType(JobFailedException.class, () -> backend().generate(request(), (_, _) -> {}));
        assertThat(failure.retryAfter()).isEqualTo(Optional.of(millis).filter(m -> m >= 0).map(Duration::ofMillis));
    }

    @Test
    void a_prompt_that_the_provider_forbids_fails_with_its_reason() {
        var request = new ImageRequest("something forbidden", Optional.empty(), FLASH, 1024, 1024, 0, 1, Map.of());
        assertThatThrownBy(() -> backend().generate(request, (_, _) -> {}))
                .hasMessage("backend gemini: the provider's moderation refused the prompt: PROHIBITED_CONTENT");
    }

    @Test
    void a_probe_tells_whether_the_key_works() throws Exception {
        backend().probe();
        var versioned = settings(URI.create(server.url() + "/v1beta"), GeminiServer.KEY);
        new GeminiBackend(versioned, http, 1, LONGEST).probe();
        var wrong = new GeminiBackend(settings(server.url(), "AIzaSy"), http, 1, LONGEST);
        assertThatThrownBy(wrong::probe).hasMessageContaining("check backends.gemini.key (BACKENDS_GEMINI_KEY)");
    }

    @Test
    void the_models_are_googles_unless_the_settings_name_others() {
        assertThat(backend().info().models()).isEqualTo(ModelFamily.MODELS);
        assertThat(backend().info().features()).containsExactly(Feature.INPUT_IMAGE);
        assertThat(ModelFamily.of("gemini-3-pro-image-preview")).isEqualTo(ModelFamily.PRO_3);
        assertThat(ModelFamily.of("gemini-3-pro")).isEqualTo(ModelFamily.OTHER);
        assertThat(backend().info().sizesOf(FLASH).nearest(new Size(1920, 1080))).hasToString("1376x768");
        assertThat(backend().info().sizesOf(FLASH).nearest(new Size(512, 512))).hasToString("512x512");
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/gemini", "../gemini", "a:b", "a b"})
    void what_is_no_name_of_a_model_is_refused_at_the_start(String model) {
        assertThatThrownBy(() -> backend(model)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("backends.gemini.models (BACKENDS_GEMINI_MODELS) has '" + model
                        + "', must be a name such as gemini-3.1-flash-image");
    }
}
