package dev.imagen.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.openai.OpenAiBackend;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.LogRecords;
import dev.imagen.testing.OpenAiServer;
import dev.imagen.testing.OtlpCollector;
import dev.imagen.testing.OtlpCollector.Seen;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import java.awt.image.BufferedImage;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a collector gets of requests and jobs. */
@Timeout(60)
class TracesTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String CALLER = "b7ad6b7169203331";
    private static final String TRACEPARENT = "00-" + TRACE + "-" + CALLER + "-01";
    private static final String PROMPT = "a harbour that nobody may see";

    private final RemoteHttp http = new RemoteHttp();
    private OpenAiServer openai;
    private OtlpCollector collector;

    @BeforeEach
    void start() throws Exception {
        DB.clear();
        openai = OpenAiServer.start();
        collector = OtlpCollector.start();
    }

    @AfterEach
    void stop() {
        http.close();
        openai.close();
        collector.close();
    }

    private TestService.Setup service() {
        return TestService.on(DB)
                .backend(
                        new OpenAiBackend(
                                new RemoteBackendSettings(Optional.of(openai.url()),
                                        Optional.of(new Secret(OpenAiServer.KEY)), List.of("gpt-image-1.5")),
                                http, 1 << 20, Duration.ofSeconds(30)));
    }

    private TestService.Setup traced() {
        return service().with("tracing.endpoint", collector.url());
    }

    private static String body(String more) {
        return "{\"prompt\": \"" + PROMPT + "\", \"backend\": \"openai\"" + more + "}";
    }

    private static JsonNode done(JsonNode job) {
        assertThat(job.path("status").textValue()).as(job.toString()).isEqualTo("done");
        return job;
    }

    private Seen one(String name) {
        var found = collector.spans().stream().filter(span -> span.name().equals(name)).toList();
        assertThat(found).as(name + " in " + collector.spans()).hasSize(1);
        return found.getFirst();
    }

    private List<Seen> below(Seen parent) {
        return collector.spans().stream().filter(span -> span.parent().equals(parent.id())).toList();
    }

    private static String traceparent(JsonNode job) throws SQLException {
        return (String) DB.job(UUID.fromString(job.path("id").textValue())).get("traceparent");
    }

    @Test
    void a_request_its_job_and_all_of_its_stages_are_one_trace() throws Exception {
        JsonNode job;
        UUID owner;
        try (var service = traced().start()) {
            owner = service.owner();
            byte[] sketch = SampleImages.encode("png", new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB));
            var input = service.client().upload("/images", sketch, "image/png").id();
            job = done(service.client().submit(body(", \"style\": \"ink\", \"input_image_id\": \"" + input + "\""),
                    "traceparent", TRACEPARENT, "Prefer", "wait=60").json());
        }
        var request = one("POST /jobs");
        assertThat(request.trace()).isEqualTo(TRACE);
        assertThat(request.parent()).isEqualTo(CALLER);
        assertThat(request.kind()).isEqualTo(SpanKind.SPAN_KIND_SERVER);
        assertThat(request.attributes()).isEqualTo(
                Map.of("http.request.method", "POST", "http.route", "/jobs", "http.response.status_code", 201L));
        assertThat(traceparent(job)).isEqualTo("00-" + TRACE + "-" + request.id() + "-01");

        var made = one("imagen.job");
        assertThat(below(request)).containsExactly(made);
        assertThat(made.kind()).isEqualTo(SpanKind.SPAN_KIND_CONSUMER);
        assertThat(made.events()).containsExactly("claimed");
        assertThat(made.attributes()).containsEntry("imagen.job.id", job.path("id").textValue())
                .containsEntry("imagen.job.owner", owner.toString()).containsEntry("imagen.job.attempt", 1L)
                .containsEntry("imagen.backend", "openai").containsEntry("imagen.model", "gpt-image-1.5")
                .containsEntry("imagen.job.outcome", "done").containsKey("imagen.job.wait");
        assertThat(below(made)).extracting(Seen::name).containsExactly("imagen.style", "imagen.input", "imagen.backend",
                "imagen.check", "imagen.metadata", "imagen.store", "imagen.finish");

        var call = below(one("imagen.backend"));
        assertThat(call).extracting(Seen::name, Seen::kind).containsExactly(tuple("POST", SpanKind.SPAN_KIND_CLIENT));
        assertThat(call.getFirst().attributes()).isEqualTo(Map.of("http.request.method", "POST", "server.address",
                "127.0.0.1", "server.port", (long) openai.url().getPort(), "http.response.status_code", 200L));
        assertThat(collector.spans()).filteredOn(span -> !span.name().endsWith(" /images"))
                .allMatch(span -> span.trace().equals(TRACE)).noneMatch(Seen::failed);
        assertThat(collector.resource()).containsEntry("service.name", "imagen")
                .containsEntry("service.version", "test").containsKey("service.instance.id");
    }

    @Test
    void a_job_that_was_inserted_by_sql_goes_on_with_the_trace_in_its_row() throws Exception {
        try (var service = traced().start()) {
            var id = (UUID) DB.row("insert into imagen.jobs (owner_user_id, prompt, traceparent) values (?, 'a bay', ?)"
                    + " returning id", service.owner(), TRACEPARENT).get("id");
            try (var events = service.client().events("/jobs/" + id + "/events")) {
                events.awaitStatus("done");
            }
        }
        var made = one("imagen.job");
        assertThat(made.trace()).isEqualTo(TRACE);
        assertThat(made.parent()).isEqualTo(CALLER);
        assertThat(below(made)).extracting(Seen::name).startsWith("imagen.style").endsWith("imagen.finish");
    }

    @Test
    void every_attempt_of_a_job_is_in_its_trace_with_what_it_failed_of() throws Exception {
        openai.next(ContractServer.status(503, Map.of(), "{\"error\": {\"message\": \"busy\"}}"));
        try (var service = traced().start()) {
            done(service.client().submit(body(""), "traceparent", TRACEPARENT, "Prefer", "wait=60").json());
        }
        var attempts = below(one("POST /jobs"));
        assertThat(attempts).extracting(Seen::name).containsExactly("imagen.job", "imagen.job");
        assertThat(attempts).extracting(span -> span.attributes().get("imagen.job.attempt")).containsExactly(1L, 2L);
        assertThat(attempts).extracting(span -> span.attributes().get("imagen.job.outcome"))
                .containsExactly("failed_retryable", "done");
        assertThat(attempts).extracting(Seen::failed).containsExactly(true, false);
        assertThat(collector.spans()).filteredOn(Seen::failed).extracting(Seen::name).containsExactly("imagen.job",
                "imagen.backend", "POST");
        assertThat(collector.spans()).filteredOn(span -> span.name().equals("POST") && span.failed())
                .extracting(span -> span.attributes().get("error.type")).containsExactly("503");
        assertThat(collector.spans()).allMatch(span -> span.trace().equals(TRACE));
    }

    @Test
    void neither_prompts_nor_keys_nor_queries_are_in_what_is_sent() throws Exception {
        openai.next(ContractServer.status(400, Map.of(), "{\"error\": {\"message\": \"" + PROMPT + " is refused\"}}"));
        openai.next(ContractServer.echo(400));
        try (var service = traced().start()) {
            for (int i = 0; i < 3; i++) {
                service.client().submit(body(", \"style\": \"ink\""), "Prefer", "wait=60", "Authorization",
                        "Bearer a-token-of-mine", "tracestate", "a-state=of-mine");
            }
            service.client().get("/jobs?status=a-query-of-mine");
            service.client().get("/a-path-of-mine");
        }
        assertThat(collector.spans()).filteredOn(span -> span.name().equals("imagen.job")).hasSize(3);
        assertThat(collector.bytes()).contains("openai").doesNotContain(PROMPT).doesNotContain("ink drawing")
                .doesNotContain(OpenAiServer.KEY).doesNotContain("of-mine");
        assertThat(openai.headers()).isNotEmpty().doesNotContain("traceparent");
    }

    @Test
    void without_its_collector_jobs_are_done_and_one_line_says_so() throws Exception {
        collector.close();
        try (var log = LogRecords.of("dev.imagen.trace")) {
            try (var service = traced().start()) {
                done(service.client().submitAndWait(body("")));
            }
            assertThat(log.warnings()).hasSize(1);
            assertThat(log.warnings().getFirst()).contains(
                    " spans did not reach " + collector.url() + ", check tracing.endpoint (TRACING_ENDPOINT): ");
        }
    }

    @Test
    void headers_that_are_no_traceparent_are_ignored_and_so_are_several() throws Exception {
        try (var service = service().withoutWorker().start()) {
            for (String header : List.of("", "x", "00-00000000000000000000000000000000-" + CALLER + "-01",
                    "00-" + TRACE + "-0000000000000000-01", TRACEPARENT.toUpperCase(Locale.ROOT), TRACEPARENT + "-more",
                    TRACEPARENT.replaceFirst("00", "ff"), TRACEPARENT + "," + TRACEPARENT)) {
                var answer = service.client().submit("{\"prompt\": \"a bay\"}", "traceparent", header);
                assertThat(answer.status()).as(header).isEqualTo(201);
                assertThat(traceparent(answer.json())).as(header).isNull();
            }
            var several = service.client().submit("{\"prompt\": \"a bay\"}", "traceparent", TRACEPARENT, "traceparent",
                    TRACEPARENT.replace('b', 'c'));
            assertThat(traceparent(several.json())).isNull();
        }
    }

    @Test
    void without_tracing_the_row_has_what_the_client_sent_and_a_repetition_does_not_depend_on_it() throws Exception {
        try (var service = service().withoutWorker().start()) {
            var first = service.client().submit("{\"prompt\": \"a bay\"}", "Idempotency-Key", "k", "traceparent",
                    TRACEPARENT);
            assertThat(traceparent(first.json())).isEqualTo(TRACEPARENT);
            var again = service.client().submit("{\"prompt\": \"a bay\"}", "Idempotency-Key", "k", "traceparent",
                    TRACEPARENT.replace("-01", "-00"));
            assertThat(again.status()).isEqualTo(200);
            assertThat(again.id()).isEqualTo(first.id());
            assertThat(traceparent(again.json())).isEqualTo(TRACEPARENT);
            // Of a later version: what this one knows of it.
            var later = service.client().submit("{\"prompt\": \"a bay\"}", "traceparent",
                    TRACEPARENT.replaceFirst("00", "cc") + "-more");
            assertThat(traceparent(later.json())).isEqualTo(TRACEPARENT);
        }
    }

    @Test
    void requests_are_named_by_their_routes_and_streams_and_probes_have_no_spans() throws Exception {
        try (var service = traced().withoutWorker().start()) {
            var job = service.client().submit();
            service.client().get("/jobs/" + job);
            service.client().post("/jobs/" + job + "/cancel");
            service.client().get("/nowhere");
            service.client().get("/");
            service.client().get("/observe/health");
            try (var events = service.client().events("/jobs/" + job + "/events")) {
                events.awaitStatus("cancelled");
            }
        }
        assertThat(collector.spans()).extracting(Seen::name).containsExactly("POST /jobs", "GET /jobs/{id}",
                "POST /jobs/{id}/cancel", "GET", "GET /");
        assertThat(collector.spans()).extracting(span -> span.attributes().get("http.response.status_code"))
                .containsExactly(201L, 200L, 200L, 404L, 200L);
        assertThat(collector.spans()).noneMatch(Seen::failed);
    }

    @Test
    void the_ratio_decides_about_traces_that_begin_here_alone() throws Exception {
        try (var service = traced().with("tracing.ratio", "0").start()) {
            done(service.client().submitAndWait("{\"prompt\": \"a bay\"}"));
            var asked = done(service.client()
                    .submit("{\"prompt\": \"a bay\"}", "traceparent", TRACEPARENT, "Prefer", "wait=60").json());
            assertThat(traceparent(asked)).endsWith("-01");
        }
        assertThat(collector.spans()).isNotEmpty().allMatch(span -> span.trace().equals(TRACE));
    }
}
