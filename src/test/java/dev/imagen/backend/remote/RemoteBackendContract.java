package dev.imagen.backend.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.config.Settings;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.ContractServer.Fault;
import dev.imagen.testing.OtlpCollector;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import dev.imagen.trace.Tracing;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import java.net.URI;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every backend whose engine is a server elsewhere holds to. */
@Timeout(60)
public abstract class RemoteBackendContract {

    @RegisterExtension
    protected static final TestDatabase DB = new TestDatabase();

    private static final long MOST_BYTES = 100_000;
    private static final Duration LONG = Duration.ofSeconds(30);

    /**
     * An error as the provider documents it.
     *
     * @param message that the failure holds
     */
    public record Documented(String name, int status, Map<String, String> headers, String json, boolean retryable,
            String message) {}

    private final RemoteHttp http = new RemoteHttp();
    private ContractServer server;
    private ImageBackend backend;

    /** A server that listens. */
    protected abstract ContractServer startServer() throws Exception;

    /** @param mostBytes of a picture @param longest of a call */
    protected abstract ImageBackend backend(URI url, RemoteHttp http, long mostBytes, Duration longest);

    /** What the server does as it is asked to. */
    protected abstract ImageRequest request();

    /** The job of {@link #request}, as JSON for the API. */
    protected abstract String job();

    /** The same with parameters that the backend declares, as JSON for the API. */
    protected abstract String jobWithParams();

    /** What no message may show. */
    protected abstract String key();

    /** All that the provider documents, or is known to answer. */
    protected abstract List<Documented> errors();

    /** A refusal of the prompt or of what came of it: permanent. */
    protected abstract Documented moderation();

    @BeforeEach
    final void open() throws Exception {
        server = startServer();
        backend = backend(server.url(), http, MOST_BYTES, LONG);
    }

    @AfterEach
    final void closeAll() {
        http.close();
        server.close();
    }

    private Generation generate() throws JobFailedException, InterruptedException {
        return backend.generate(request(), (_, _) -> {});
    }

    private JobFailedException failure(Fault... faults) {
        Stream.of(faults).forEach(server::next);
        return failureOf(backend);
    }

    private JobFailedException failureOf(ImageBackend asked) {
        var failure = catchThrowable(() -> asked.generate(request(), (_, _) -> {}));
        assertThat(failure).isInstanceOf(JobFailedException.class)
                .hasMessageStartingWith("backend " + backend.info().name() + ": ");
        assertThat(failure.getMessage()).doesNotContain(key()).doesNotContainPattern("\\p{Cntrl}").hasSizeLessThan(800);
        return (JobFailedException) failure;
    }

    @Test
    void a_picture_comes_as_it_was_asked_for() throws Exception {
        var picture = ImageFile.read(generate().pictures().getFirst().bytes());
        assertThat(picture.width()).isEqualTo(request().width());
        assertThat(picture.height()).isEqualTo(request().height());
        assertThat(server.calls()).isOne();
    }

    @Test
    void a_trace_has_every_call_and_no_server_hears_of_it() throws Exception {
        try (var collector = OtlpCollector.start()) {
            try (var tracing = Tracing.of(new Settings.Tracing(Optional.of(URI.create(collector.url())), 1), "test")) {
                var span = tracing.span("job", SpanKind.CONSUMER, SpanContext.getInvalid()).startSpan();
                try (var _ = tracing.enter(span)) {
                    generate();
                } finally {
                    span.end();
                }
            }
            var job = collector.spans().getFirst();
            assertThat(collector.spans()).filteredOn(seen -> !seen.equals(job))
                    .anyMatch(seen -> seen.name().equals("POST")).allMatch(seen -> seen.parent().equals(job.id()));
            assertThat(server.headers()).isNotEmpty().doesNotContain("traceparent");
        }
    }

    @Test
    void the_request_of_the_contract_is_one_that_the_backend_takes() {
        assertThat(backend.refusal(request())).isEmpty();
        assertThat(backend.info().models()).contains(request().model());
    }

    @TestFactory
    Stream<DynamicTest> each_documented_error_is_told_and_tried_again_where_that_can_help() {
        return Stream.concat(errors().stream(), Stream.of(moderation()))
                .map(error -> DynamicTest.dynamicTest(error.name(), () -> {
                    var failure = failure(ContractServer.status(error.status(), error.headers(), error.json()));
                    assertThat(failure).hasMessageContaining(error.message());
                    assertThat(failure.retryable()).isEqualTo(error.retryable());
                }));
    }

    @Test
    void moderation_is_for_good_and_says_so() {
        assertThat(moderation().retryable()).isFalse();
        assertThat(failure(ContractServer.status(moderation().status(), moderation().headers(), moderation().json())))
                .hasMessageContaining("moderation");
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 409, 425, 429, 500, 502, 503, 504, 529})
    void what_may_be_gone_in_a_moment_is_tried_again(int status) {
        assertThat(failure(ContractServer.status(status, Map.of(), "")).retryable()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 402, 403, 404, 405, 413, 415, 422})
    void what_would_be_the_same_again_is_not(int status) {
        assertThat(failure(ContractServer.status(status, Map.of(), "")).retryable()).isFalse();
    }

    @Test
    void a_server_that_says_when_to_come_back_is_heeded() {
        assertThat(limited("Retry-After", "7").retryAfter()).contains(Duration.ofSeconds(7));
        assertThat(limited("retry-after-ms", "1500").retryAfter()).contains(Duration.ofMillis(1500));
        var date = ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(90).format(DateTimeFormatter.RFC_1123_DATE_TIME);
        assertThat(limited("Retry-After", date).retryAfter().orElseThrow()).isBetween(Duration.ofSeconds(60),
                Duration.ofSeconds(90));
        assertThat(limited("Retry-After", "soon").retryAfter()).isEmpty();
        assertThat(limited("Retry-After", "999999999").retryAfter()).contains(Duration.ofHours(24));
    }

    private JobFailedException limited(String header, String value) {
        var failure = failure(ContractServer.status(429, Map.of(header, value), "{}"));
        assertThat(failure.retryable()).isTrue();
        return failure;
    }

    @Test
    void whoever_is_interrupted_before_the_call_does_not_call() throws Exception {
        var thrown = new CompletableFuture<Throwable>();
        Thread.ofVirtual().start(() -> {
            Thread.currentThread().interrupt();
            thrown.complete(catchThrowable(this::generate));
        });
        assertThat(thrown.get(20, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
        assertThat(server.calls()).isZero();
    }

    @Test
    void an_answer_that_drips_ends_with_an_interrupt_and_its_connection_too() throws Exception {
        server.next(server.drip());
        var thrown = new CompletableFuture<Throwable>();
        var job = Thread.ofVirtual().start(() -> thrown.complete(catchThrowable(this::generate)));
        server.awaitCall();
        job.interrupt();
        assertThat(thrown.get(5, TimeUnit.SECONDS)).isInstanceOf(InterruptedException.class);
        server.awaitGone();
    }

    @Test
    void an_answer_that_drips_ends_when_a_call_has_taken_long_enough() throws Exception {
        server.next(server.drip());
        var failure = failureOf(backend(server.url(), http, MOST_BYTES, Duration.ofMillis(300)));
        assertThat(failure.retryable()).isTrue();
        server.awaitGone();
    }

    @Test
    void an_answer_that_breaks_off_is_tried_again() {
        assertThat(failure(ContractServer.breaking()).retryable()).isTrue();
    }

    @Test
    void an_answer_without_end_is_left_when_no_picture_may_be_so_large() throws Exception {
        var failure = failure(server.flood());
        assertThat(failure).hasMessageContaining("images.bytes (IMAGES_BYTES)");
        assertThat(failure.retryable()).isFalse();
        server.awaitGone();
        // What the connection's buffers hold besides.
        assertThat(server.sent()).isLessThan(32 << 20);
    }

    @Test
    void an_error_without_end_is_told_by_its_beginning() {
        var failure = failure(
                ContractServer.status(503, Map.of("Retry-After", "3"), "\"" + "busy ".repeat(1_000_000) + "\""));
        assertThat(failure.retryable()).isTrue();
        assertThat(failure.retryAfter()).contains(Duration.ofSeconds(3));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "[]", "{}", "{\"data\": 7}", "\"a picture\"", "<html>Log in</html>",
            "{\"data\": [{\"b64_json\""})
    void what_is_no_answer_of_the_api_is_a_failure_like_any_other(String body) {
        failure(ContractServer.content("application/json", body));
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 429, 500})
    void a_key_that_a_server_shows_is_not_passed_on(int status) {
        assertThat(failure(ContractServer.echo(status))).hasMessageContaining("***");
    }

    @Test
    void nobody_is_followed_elsewhere_with_the_key() throws Exception {
        try (var other = startServer()) {
            var failure = failure(
                    ContractServer.status(307, Map.of("Location", other.url() + "/v1/images/generations"), ""));
            assertThat(failure.retryable()).isFalse();
            assertThat(other.calls()).isZero();
        }
    }

    @Test
    void a_server_that_is_away_is_tried_again_and_found_when_it_is_back() throws Exception {
        generate();
        server.close();
        var failure = failure();
        assertThat(failure.retryable()).isTrue();
        assertThat(failure).hasMessageContaining(server.url().getAuthority());
        server.listen();
        assertThat(generate().pictures()).isNotEmpty();
    }

    @Test
    void a_host_that_does_not_exist_is_named() {
        var failure = failureOf(backend(URI.create("http://no-such-host.invalid"), http, MOST_BYTES, LONG));
        assertThat(failure).hasMessageContaining("no-such-host.invalid");
        assertThat(failure.retryable()).isTrue();
    }

    @Test
    void a_job_whose_server_was_busy_is_done_by_its_next_attempt() throws Exception {
        server.next(ContractServer.status(503, Map.of(), "{}"));
        try (var service = TestService.on(DB).backend(backend).start()) {
            var job = service.client().submitAndWait(job());
            assertThat(job.path("status").textValue()).as(job.toString()).isEqualTo("done");
            assertThat(job.path("attempt").intValue()).isEqualTo(2);
            assertThat(server.calls()).isEqualTo(2);
        }
    }

    @Test
    void a_job_with_parameters_is_done_and_still_tells_them() throws Exception {
        try (var service = TestService.on(DB).backend(backend).start()) {
            var job = service.client().submitAndWait(jobWithParams());
            assertThat(job.path("status").textValue()).as(job.toString()).isEqualTo("done");
            assertThat(job.path("params").isObject()).isTrue();
            assertThat(job.path("params")).isNotEmpty();
        }
    }

    @Test
    void a_job_that_is_cancelled_lets_go_of_its_server() throws Exception {
        server.next(server.drip());
        try (var service = TestService.on(DB).backend(backend).start()) {
            var id = service.client().submit(job()).json().path("id").textValue();
            server.awaitCall();
            try (var events = service.client().events("/jobs/" + id + "/events")) {
                service.client().post("/jobs/" + id + "/cancel");
                assertThat(events.awaitStatus("cancelled").data().path("image_id").isNull()).isTrue();
            }
            server.awaitGone();
        }
    }
}
