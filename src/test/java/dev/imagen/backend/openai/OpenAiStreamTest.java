package dev.imagen.backend.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Progress;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.ContractServer.Fault;
import dev.imagen.testing.OpenAiServer;
import dev.imagen.testing.SampleImages;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pictures in the making. */
@Timeout(60)
class OpenAiStreamTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final String EVENTS = "text/event-stream";

    private final RemoteHttp http = new RemoteHttp();
    private final Seen seen = new Seen();
    private OpenAiServer server;

    /** Keeps the previews. */
    private static final class Seen implements Progress {

        private final List<byte[]> previews = new ArrayList<>();
        private final List<String> steps = new ArrayList<>();

        @Override
        public void finished(int step, int all) {
            steps.add(step + "/" + all);
        }

        @Override
        public void preview(byte[] picture) {
            previews.add(picture);
        }
    }

    @BeforeEach
    void start() throws Exception {
        server = OpenAiServer.start();
    }

    @AfterEach
    void stop() {
        http.close();
        server.close();
    }

    private static ImageRequest request(int previews, int count) {
        return new ImageRequest("a harbour at dusk", Optional.empty(), "gpt-image-2", 512, 512, 0, 1,
                Map.of("partial_images", previews), count, Optional.empty());
    }

    private OpenAiBackend backend(Duration longest) {
        return new OpenAiBackend(new RemoteBackendSettings(Optional.of(server.url()),
                Optional.of(new Secret(OpenAiServer.KEY)), List.of("gpt-image-2")), http, 100_000, longest);
    }

    private Generation generate() throws Exception {
        return backend(LONG).generate(request(2, 1), seen);
    }

    private JobFailedException failure(Fault fault) {
        server.next(fault);
        return catchThrowableOfType(JobFailedException.class, this::generate);
    }

    private static String event(String data) {
        return "event: image\ndata: " + data + "\n\n";
    }

    private static String partial(byte[] picture) {
        return event("{\"type\": \"image_generation.partial_image\", \"b64_json\": \""
                + Base64.getEncoder().encodeToString(picture) + "\"}");
    }

    @Test
    void previews_come_before_the_picture_and_the_tokens_with_it() throws Exception {
        var generation = generate();
        assertThat(seen.previews).hasSize(2);
        // A preview is shown from the first step on.
        assertThat(seen.steps).containsExactly("1/3", "2/3");
        assertThat(ImageFile.read(seen.previews.getLast()).width()).isEqualTo(65);
        assertThat(ImageFile.read(generation.pictures().getFirst().bytes()).width()).isEqualTo(512);
        assertThat(generation.metered()).isEqualTo(new Metered(Optional.of(13L), Optional.of(472L), Optional.empty()));
        assertThat(server.last().path("stream").booleanValue()).isTrue();
        assertThat(server.last().path("partial_images").intValue()).isEqualTo(2);
    }

    @Test
    void a_job_that_wants_no_previews_gets_no_stream() throws Exception {
        backend(LONG).generate(request(0, 1), seen);
        assertThat(server.last().has("stream")).isFalse();
        assertThat(server.last().has("partial_images")).isFalse();
    }

    @Test
    void of_several_pictures_one_comes_at_a_time() throws Exception {
        assertThat(backend(LONG).generate(request(1, 4), seen).pictures()).hasSize(1);
        assertThat(server.last().has("n")).isFalse();
    }

    @Test
    void a_server_that_knows_no_streams_answers_as_ever() throws Exception {
        server.next(ContractServer.content("application/json", "{\"data\": [{\"b64_json\": \""
                + Base64.getEncoder().encodeToString(SampleImages.png(8, 8)) + "\"}]}"));
        assertThat(ImageFile.read(generate().pictures().getFirst().bytes()).width()).isEqualTo(8);
        assertThat(seen.previews).isEmpty();
    }

    @Test
    void what_is_no_preview_is_none_and_the_picture_comes_all_the_same() throws Exception {
        server.next(ContractServer.content(EVENTS,
                ": hello\n\n" + event("[DONE]") + event("{\"type\": \"other\"}")
                        + event("{\"type\": \"image_generation.partial_image\", \"b64_json\": \"%\\u0000 =a\"}")
                        + event("{\"type\": \"image_generation.completed\", \"b64_json\": \""
                                + Base64.getEncoder().encodeToString(SampleImages.png(8, 8)) + "\"}")
                        + "what comes after it"));
        assertThat(generate().pictures()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            moderation_blocked | image_generation_user_error | false | the provider's moderation refused it: No. [moderation_blocked]
            insufficient_quota | insufficient_quota          | false | No. [insufficient_quota]
            invalid_value      | invalid_request_error       | false | No. [invalid_value]
            server_error       | server_error                | true  | the server stopped: No. [server_error]
            """)
    void an_error_within_the_stream_is_one_like_any_other(String code, String type, boolean retryable, String told) {
        var error = "{\"message\": \"No.\", \"type\": \"" + type + "\", \"code\": \"" + code + "\", \"param\": null}";
        var failure = failure(ContractServer.content(EVENTS,
                partial(SampleImages.png(8, 8)) + event("{\"type\": \"error\", \"error\": " + error + "}")));
        assertThat(failure).hasMessageStartingWith("backend openai: ").hasMessageContaining(told);
        assertThat(failure.retryable()).isEqualTo(retryable);
        assertThat(seen.previews).hasSize(1);
        var flat = "{\"type\": \"error\", \"message\": \"No.\", \"code\": \"" + code + "\"}";
        assertThat(failure(ContractServer.content(EVENTS, event(flat)))).hasMessageContaining("No. [" + code + "]");
    }

    @Test
    void an_error_before_the_stream_is_one_too() {
        assertThat(failure(ContractServer.status(400, Map.of(),
                "{\"error\": {\"message\": \"No.\", \"code\": \"moderation_blocked\"}}")))
                .hasMessageContaining("answered 400: the provider's moderation refused it: No.");
    }

    @Test
    void a_stream_that_breaks_off_is_tried_again() {
        var preview = partial(SampleImages.png(8, 8));
        assertThat(failure(ContractServer.breaking(EVENTS, preview)).retryable()).isTrue();
        var ended = failure(ContractServer.content(EVENTS, preview));
        assertThat(ended).hasMessage("backend openai: the stream ended before the picture was there");
        assertThat(ended.retryable()).isTrue();
        assertThat(seen.previews).hasSize(2);
    }

    @Test
    void a_stream_that_ends_without_a_picture_in_its_last_event_is_not() {
        assertThat(failure(ContractServer.content(EVENTS, event("{\"type\": \"image_generation.completed\"}")))
                .retryable()).isFalse();
    }

    @Test
    void a_stream_without_end_is_left_when_no_pictures_may_be_so_large() {
        var failure = failure(server.endless(EVENTS, "data: " + "A".repeat(64 * 1024) + "\n"));
        assertThat(failure).hasMessageContaining("images.bytes (IMAGES_BYTES)");
        assertThat(failure.retryable()).isFalse();
    }

    @Test
    void a_stream_ends_with_an_interrupt_and_its_connection_too() throws Exception {
        server.next(server.endless(EVENTS, partial(new byte[]{1})));
        var thrown = new CompletableFuture<Throwable>();
        var preview = new CompletableFuture<byte[]>();
        var job = Thread.ofVirtual()
                .start(() -> thrown.complete(catchThrowable(() -> backend(LONG).generate(request(1, 1), new Progress() {
                    @Override
                    public void finished(int step, int steps) {}

                    @Override
                    public void preview(byte[] picture) {
                        preview.complete(picture);
                    }
                }))));
        preview.get(20, TimeUnit.SECONDS);
        job.interrupt();
        assertThat(thrown.get(20, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
        server.awaitGone();
    }

    @Test
    void a_stream_ends_when_the_call_has_taken_long_enough() {
        server.next(server.endless(EVENTS, partial(new byte[]{1})));
        var failure = catchThrowableOfType(JobFailedException.class,
                () -> backend(Duration.ofMillis(200)).generate(request(1, 1), seen));
        assertThat(failure.retryable()).isTrue();
    }
}
