package dev.imagen.backend.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.remote.RemoteBackendContract;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.KeyWatch;
import dev.imagen.testing.OpenAiServer;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.TestService;
import java.awt.image.BufferedImage;
import java.net.URI;
import java.time.Duration;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenAiBackendTest extends RemoteBackendContract {

    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final RemoteHttp http = new RemoteHttp();
    private OpenAiServer server;

    @Override
    protected ContractServer startServer() throws Exception {
        var started = OpenAiServer.start();
        server = server == null ? started : server;
        return started;
    }

    @Override
    protected ImageBackend backend(URI url, RemoteHttp http, long mostBytes, Duration longest) {
        return new OpenAiBackend(settings(url, OpenAiServer.KEY, ModelFamily.MODELS), http, mostBytes, longest);
    }

    private static RemoteBackendSettings settings(URI url, String key, List<String> models) {
        return new RemoteBackendSettings(Optional.of(url), Optional.ofNullable(key).map(Secret::new), models);
    }

    @Override
    protected ImageRequest request() {
        return request("gpt-image-2", 1024, 1536, Map.of());
    }

    private static ImageRequest request(String model, int width, int height, Map<String, Object> params) {
        return new ImageRequest("a harbour at dusk", Optional.empty(), model, width, height, 0, 1, params);
    }

    @Override
    protected String job() {
        return """
                {"prompt": "a harbour at dusk", "backend": "openai", "width": 1024, "height": 1536}""";
    }

    @Override
    protected String jobWithParams() {
        return """
                {"prompt": "a harbour at dusk", "backend": "openai",
                 "params": {"quality": "low", "output_format": "jpeg", "output_compression": 50}}""";
    }

    @Override
    protected String key() {
        return OpenAiServer.KEY;
    }

    @Override
    protected List<Documented> errors() {
        return List.of(
                error("bad parameter", 400, "invalid_value", "Invalid value: 'x'.", false, "Invalid value: 'x'."),
                error("wrong key", 401, "invalid_api_key", "Incorrect API key provided: " + key() + ".", false,
                        "Incorrect API key provided: ***. [invalid_api_key] (request req_7);"
                                + " check backends.openai.key (BACKENDS_OPENAI_KEY)"),
                error("no right", 403, "unsupported_country_region_territory", "Country not supported", false,
                        "Country not supported"),
                error("no such model", 404, "model_not_found", "The model does not exist", false,
                        "The model does not exist"),
                error("too many requests", 429, "rate_limit_exceeded", "Rate limit reached", true,
                        "Rate limit reached"),
                error("no money", 429, "insufficient_quota", "You exceeded your current quota", false,
                        "You exceeded your current quota"),
                error("server error", 500, null, "The server had an error", true, "The server had an error"),
                new Documented("text for an error", 400, Map.of(), "{\"error\": \"prompt required\"}", false,
                        "prompt required"),
                new Documented("do not retry", 500, Map.of("x-should-retry", "false"), "{}", false, "answered 500"));
    }

    private static Documented error(String name, int status, String code, String message, boolean retryable,
            String told) {
        return new Documented(name, status, Map.of("x-request-id", "req_7"),
                "{\"error\": {\"message\": \"" + message + "\", \"type\": \"some_error\", \"param\": null, \"code\": "
                        + (code == null ? "null" : "\"" + code + "\"") + "}}",
                retryable, told);
    }

    @Override
    protected Documented moderation() {
        return error("moderation", 400, "moderation_blocked", "Your request was rejected by the safety system.", false,
                "the provider's moderation refused it: Your request was rejected by the safety system.");
    }

    @AfterEach
    void closeHttp() {
        http.close();
    }

    private OpenAiBackend backend(String key, String... models) {
        return new OpenAiBackend(settings(server.url(), key, List.of(models)), http, 100_000, LONGEST);
    }

    private JsonNode sent(OpenAiBackend backend, ImageRequest request) throws Exception {
        assertThat(backend.refusal(request)).isEmpty();
        backend.generate(request, (_, _) -> {});
        return server.last();
    }

    @Test
    void tokens_are_told_and_nothing_where_the_server_counts_none() throws Exception {
        var generation = backend(OpenAiServer.KEY, "gpt-image-2").generate(request(), (_, _) -> {});
        assertThat(generation.metered()).isEqualTo(new Metered(Optional.of(13L), Optional.of(272L), Optional.empty()));
        var other = backend(OpenAiServer.KEY, "dall-e-2").generate(request("dall-e-2", 256, 256, Map.of()),
                (_, _) -> {});
        assertThat(other.metered()).isEqualTo(Metered.NOTHING);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            gpt-image-1.5    | 1536 | 1024 | {"model":"gpt-image-1.5","prompt":"a harbour at dusk","size":"1536x1024"}
            gpt-image-1-mini | 1024 | 1024 | {"model":"gpt-image-1-mini","prompt":"a harbour at dusk","size":"1024x1024"}
            gpt-image-2      | 1264 | 592  | {"model":"gpt-image-2","prompt":"a harbour at dusk","size":"1264x592"}
            chatgpt-image-latest | 1024 | 1536 | {"model":"chatgpt-image-latest","prompt":"a harbour at dusk","size":"1024x1536"}
            gpt-image-2.6-flare | 1536 | 864 | {"model":"gpt-image-2.6-flare","prompt":"a harbour at dusk","size":"1536x864"}
            dall-e-2         | 256  | 256  | {"model":"dall-e-2","prompt":"a harbour at dusk","size":"256x256","response_format":"b64_json"}
            dall-e-3         | 1792 | 1024 | {"model":"dall-e-3","prompt":"a harbour at dusk","size":"1792x1024","response_format":"b64_json"}
            """)
    void each_model_is_asked_for_what_it_knows(String model, int width, int height, String body) throws Exception {
        assertThat(sent(backend(OpenAiServer.KEY, model), request(model, width, height, Map.of()))).hasToString(body);
    }

    @Test
    void parameters_go_as_they_are() throws Exception {
        var params = Map.<String, Object>of("quality", "high", "background", "opaque", "moderation", "low",
                "output_format", "jpeg", "output_compression", 60);
        var body = sent(backend(OpenAiServer.KEY, "gpt-image-1"), request("gpt-image-1", 1024, 1024, params));
        assertThat(body.path("quality").textValue()).isEqualTo("high");
        assertThat(body.path("output_compression").intValue()).isEqualTo(60);
        assertThat(sent(backend(OpenAiServer.KEY, "dall-e-3"),
                request("dall-e-3", 1024, 1024, Map.of("quality", "hd", "style", "natural"))).path("style").textValue())
                .isEqualTo("natural");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            dall-e-3    | style              | vivid       |
            dall-e-2    | style              | vivid       | params.style is no parameter of model dall-e-2: use one of quality
            gpt-image-1 | style              | vivid       | params.style is no parameter of model gpt-image-1: use one of quality, background, moderation, output_format, output_compression, partial_images, input_fidelity
            gpt-image-1 | quality            | hd          | params.quality must be one of auto, low, medium, high for model gpt-image-1
            dall-e-3    | quality            | high        | params.quality must be one of standard, hd for model dall-e-3
            gpt-image-1 | output_compression | 50          | params.output_compression needs params.output_format to be jpeg or webp
            gpt-image-1-mini | quality       | max         | params.quality must be one of auto, low, medium, high for model gpt-image-1-mini
            gpt-image-2 | complexity         | low         | params.complexity is no parameter of model gpt-image-2: use one of quality, background, moderation, output_format, output_compression, partial_images
            dall-e-3    | partial_images     | 2           | params.partial_images is no parameter of model dall-e-3: use one of quality, style
            gpt-image-2 | input_fidelity     | high        | params.input_fidelity is no parameter of model gpt-image-2: use one of quality, background, moderation, output_format, output_compression, partial_images
            gpt-image-2.5-flare | quality    | max         |
            gpt-image-2.6-sunburst | complexity | low      |
            gpt-image-9 | style              | vivid       |
            my-model    | style              | vivid       |
            openai/dall-e-2 | style          | vivid       | params.style is no parameter of model openai/dall-e-2: use one of quality
            """)
    void what_a_model_does_not_take_is_refused_before_it_is_asked(String model, String parameter, String value,
            String refusal) {
        var request = request(model, 1024, 1024, Map.of(parameter, value));
        assertThat(backend(OpenAiServer.KEY, model).refusal(request).map(Refusal::toString))
                .isEqualTo(Optional.ofNullable(refusal));
    }

    @ParameterizedTest
    @CsvSource({"gpt-image-2, 10", "openai/gpt-image-1.5, 10", "chatgpt-image-latest, 10", "dall-e-2, 10",
            "dall-e-3, 1", "my-model, 1"})
    void several_pictures_are_asked_for_at_once_where_the_model_is_known_to_make_them(String model, int pictures) {
        assertThat(backend(OpenAiServer.KEY, model).picturesPerCall(model)).isEqualTo(pictures);
    }

    @Test
    void as_many_pictures_come_as_are_asked_for() throws Exception {
        var request = request("gpt-image-2", 64, 64, Map.of()).part(0, 10);
        assertThat(backend(OpenAiServer.KEY, "gpt-image-2").generate(request, (_, _) -> {}).pictures()).hasSize(10);
        assertThat(server.last().path("n").intValue()).isEqualTo(10);
    }

    @Test
    void of_more_pictures_those_beyond_are_left_and_of_fewer_those_that_are_there_are_taken() throws Exception {
        var base64 = Base64.getEncoder().encodeToString(SampleImages.png(8, 8));
        var picture = "{\"b64_json\": \"" + base64 + "\"}";
        var request = request("any", 8, 8, Map.of()).part(0, 2);
        server.next(ContractServer.content("application/json",
                "{\"data\": [" + picture + "," + picture + "," + picture + "]}"));
        assertThat(backend(null, "any").generate(request, (_, _) -> {}).pictures()).hasSize(2);
        server.next(ContractServer.content("application/json", "{\"data\": [{}, " + picture + "]}"));
        assertThat(backend(null, "any").generate(request, (_, _) -> {}).pictures()).hasSize(1);
    }

    @Test
    void a_job_begins_with_an_owners_picture_and_has_several_by_one_call() throws Exception {
        byte[] sketch = SampleImages.png(40, 30);
        try (var service = TestService.on(DB).backend(backend(OpenAiServer.KEY, "gpt-image-2")).start()) {
            var input = service.client().upload("/images", sketch, "image/png").json().path("id");
            var job = service.client().submitAndWait(
                    "{\"prompt\": \"a\", \"backend\": \"openai\", \"count\": 3, \"input_image_id\": " + input + "}");
            assertThat(job.path("images")).as(job.toString()).hasSize(3);
            assertThat(server.calls()).isOne();
            assertThat(server.lastForm().named("image").getFirst().bytes()).isEqualTo(sketch);
            var refused = service.client()
                    .submit("{\"prompt\": \"a\", \"backend\": \"openai\", \"strength\": 0.5, \"input_image_id\": "
                            + input + "}");
            assertThat(refused.json().path("errors").findValuesAsText("field")).containsExactly("strength");
        }
    }

    @Test
    void an_answer_may_have_room_for_all_its_pictures() throws Exception {
        // Each with random pixels is beyond half of the limit of one.
        var noise = new BufferedImage(150, 150, BufferedImage.TYPE_INT_RGB);
        noise.setRGB(0, 0, 150, 150, new Random(1).ints(150 * 150).toArray(), 0, 150);
        byte[] png = SampleImages.encode("png", noise);
        assertThat(png).hasSizeGreaterThan(50_000);
        var picture = "{\"b64_json\": \"" + Base64.getEncoder().encodeToString(png) + "\"}";
        server.next(ContractServer.content("application/json",
                "{\"data\": [" + String.join(",", Collections.nCopies(4, picture)) + "]}"));
        assertThat(
                backend(null, "any").generate(request("any", 150, 150, Map.of()).part(0, 4), (_, _) -> {}).pictures())
                .hasSize(4);
    }

    @Test
    void a_jpeg_is_not_transparent() {
        var request = request("gpt-image-1", 1024, 1024, Map.of("background", "transparent", "output_format", "jpeg"));
        assertThat(backend(OpenAiServer.KEY, "gpt-image-1").refusal(request)).get()
                .hasToString("params.background cannot be transparent where params.output_format is jpeg");
    }

    @Test
    void a_prompt_that_the_model_finds_too_long_is_refused_with_its_limit() {
        var request = new ImageRequest("x".repeat(1001), Optional.empty(), "dall-e-2", 256, 256, 0, 1, Map.of());
        assertThat(backend(OpenAiServer.KEY, "dall-e-2").refusal(request)).get().hasToString(
                "prompt has 1001 characters with the words of its style, model dall-e-2 takes at most 1000");
    }

    @Test
    void a_prompt_that_the_provider_forbids_fails_with_its_reason() {
        var request = new ImageRequest("something forbidden", Optional.empty(), "gpt-image-1", 1024, 1024, 0, 1,
                Map.of());
        assertThatThrownBy(() -> backend(OpenAiServer.KEY, "gpt-image-1").generate(request, (_, _) -> {})).hasMessage(
                "backend openai: " + server.url().getAuthority() + " answered 400: the provider's moderation refused"
                        + " it: Your request was rejected by the safety system. [moderation_blocked]"
                        + " (request req_of_a_test)");
    }

    @Test
    void a_picture_that_is_told_by_its_url_is_fetched() throws Exception {
        var path = server.keep(SampleImages.png(40, 30));
        for (String url : List.of(server.url() + path, path)) {
            server.next(ContractServer.content("application/json", "{\"data\": [{\"url\": \"" + url + "\"}]}"));
            var picture = backend(null, "any").generate(request("any", 40, 30, Map.of()), (_, _) -> {}).pictures()
                    .getFirst();
            assertThat(ImageFile.read(picture.bytes()).width()).isEqualTo(40);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "ftp://127.0.0.1/a.png", "javascript:alert(1)", "http:///a.png", "::",
            "https://"})
    void only_http_leads_to_a_picture(String url) {
        server.next(ContractServer.content("application/json", "{\"data\": [{\"url\": \"" + url + "\"}]}"));
        var failure = catchThrowableOfType(JobFailedException.class,
                () -> backend(null, "any").generate(request("any", 40, 30, Map.of()), (_, _) -> {}));
        assertThat(failure)
                .hasMessage("backend openai: the server named a picture that is not at a URL of http or https");
        assertThat(failure.retryable()).isFalse();
    }

    @Test
    void no_other_host_sees_the_key() throws Exception {
        try (var other = new KeyWatch()) {
            server.next(ContractServer.content("application/json",
                    "{\"data\": [{\"url\": \"" + other.url() + "/a.png\"}]}"));
            assertThat(backend(OpenAiServer.KEY, "any").generate(request("any", 40, 30, Map.of()), (_, _) -> {})
                    .pictures()).isNotEmpty();
            assertThat(other.authorizations()).containsExactly(Optional.empty());
        }
    }

    @Test
    void pictures_come_in_base64_of_any_kind() throws Exception {
        byte[] png = SampleImages.png(40, 30);
        for (String base64 : List.of(Base64.getEncoder().encodeToString(png),
                "data:image/png;base64," + Base64.getEncoder().encodeToString(png),
                Base64.getMimeEncoder().encodeToString(png).replace("\r\n", "\\n"))) {
            server.next(ContractServer.content("application/json", "{\"data\": [{\"b64_json\": \"" + base64 + "\"}]}"));
            assertThat(backend(null, "any").generate(request("any", 40, 30, Map.of()), (_, _) -> {}).pictures()
                    .getFirst().bytes()).isEqualTo(png);
        }
    }

    @Test
    void a_base_url_may_end_where_the_api_begins() throws Exception {
        var v1 = new OpenAiBackend(settings(URI.create(server.url() + "/v1"), OpenAiServer.KEY, List.of("gpt-image-2")),
                http, 100_000, LONGEST);
        assertThat(v1.generate(request(), (_, _) -> {}).pictures()).hasSize(1);
    }

    @Test
    void another_server_than_openais_needs_a_model_and_openais_own_has_its_models() {
        assertThatThrownBy(() -> backend(null)).isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith(
                "backends.openai.model (BACKENDS_OPENAI_MODEL) must be set where backends.openai.url is");
        var own = new OpenAiBackend(
                new RemoteBackendSettings(Optional.empty(), Optional.of(new Secret("k")), List.of()), http, 100_000,
                LONGEST);
        assertThat(own.info().models()).startsWith("gpt-image-2").contains("gpt-image-1.5");
    }
}
