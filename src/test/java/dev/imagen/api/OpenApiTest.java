package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.testing.EventReader;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.Yaml;

/** The OpenAPI document and the service, held together both ways: Helidon SE serves the document as it is. */
@Timeout(120)
class OpenApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final OpenApiDocument DOCUMENT = OpenApiDocument.ofResource();
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static TestService service;
    private static TestClient client;
    private static JsonNode done;

    @BeforeAll
    static void start() {
        service = TestService.on(DB).start();
        client = service.client();
        done = client.submitAndWait("{\"prompt\": \"a quiet bay\", \"style\": \"pixel\"}");
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @Test
    void the_document_lists_exactly_the_routes_of_the_service() {
        var routes = RouteRecorder.routes(ApiServer.routes(service.parts(), service.access()));
        assertThat(routes).contains("GET /jobs/{id}/events", "POST /jobs", "GET /backends");
        assertThat(DOCUMENT.operations()).isEqualTo(routes);
    }

    @Test
    void every_reference_in_the_document_leads_somewhere() {
        assertThat(DOCUMENT.references()).isNotEmpty().allMatch(DOCUMENT::has);
    }

    @Test
    void the_document_is_served_as_yaml() {
        var answer = client.get("/openapi");
        assertThat(answer.status()).isEqualTo(200);
        var served = MAPPER.<JsonNode>valueToTree(new Yaml().load(new String(answer.bytes(), StandardCharsets.UTF_8)));
        assertThat(served).isEqualTo(DOCUMENT.root());
    }

    @Test
    void the_document_is_served_as_json() {
        var answer = client.get("/openapi", "Accept", "application/json");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json()).isEqualTo(DOCUMENT.root());
    }

    static Stream<Arguments> answers() {
        return Stream.of(Arguments.of("/jobs", "/jobs"), Arguments.of("/jobs/{id}", "/jobs/" + id("id")),
                Arguments.of("/images", "/images"), Arguments.of("/images/{id}", "/images/" + id("image_id")),
                Arguments.of("/images/{id}/link", "/images/" + id("image_id") + "/link"), Arguments.of("/me", "/me"),
                Arguments.of("/backends", "/backends"), Arguments.of("/styles", "/styles"),
                Arguments.of("/usage", "/usage"), Arguments.of("/usage", "/usage?group=backend"),
                Arguments.of("/usage", "/usage?group=model"), Arguments.of("/workers", "/workers"),
                Arguments.of("/queue", "/queue"), Arguments.of("/queue/history", "/queue/history"),
                Arguments.of("/queue/failures", "/queue/failures"));
    }

    private static String id(String field) {
        return done.path(field).textValue();
    }

    @ParameterizedTest
    @MethodSource("answers")
    void an_answer_is_as_its_schema_says(String documented, String path) {
        var answer = client.get(path);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(DOCUMENT.differences(DOCUMENT.answer(documented, "get", 200), answer.json())).isEmpty();
    }

    @Test
    void a_submitted_job_is_as_its_schema_says_with_every_field_set() {
        var answer = client.submit(wholeJob().toString());
        assertThat(answer.status()).isEqualTo(201);
        assertThat(DOCUMENT.differences(DOCUMENT.answer("/jobs", "post", 201), answer.json())).isEmpty();
    }

    @Test
    void the_schema_of_a_job_has_exactly_the_names_of_a_job() {
        assertThat(DOCUMENT.properties("Job")).isEqualTo(names(client.get("/jobs/" + id("id")).json()));
    }

    @Test
    void the_schema_of_an_image_has_exactly_the_names_of_an_image() {
        assertThat(DOCUMENT.properties("Image")).isEqualTo(names(client.get("/images/" + id("image_id")).json()));
    }

    private static Set<String> names(JsonNode object) {
        var names = new TreeSet<String>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /** The example of every documented field, with values of this test where the owner and the id matter. */
    private static ObjectNode wholeJob() {
        var job = MAPPER.createObjectNode();
        // The mock backend has no params.
        DOCUMENT.schema("NewJob").path("properties").properties().stream()
                .filter(field -> !field.getKey().equals("params"))
                .forEach(field -> job.set(field.getKey(), field.getValue().path("examples").path(0)));
        return job.put("id", UUID.randomUUID().toString()).put("owner_user_id", service.owner().toString())
                .put("input_image_id", id("image_id")).put("idempotency_key", UUID.randomUUID().toString());
    }

    @Test
    void every_documented_field_of_a_new_job_is_taken_and_shown() {
        var sent = wholeJob();
        var job = client.submit(sent.toString()).json();
        // A time in the past is lifted to now.
        sent.remove("run_at");
        sent.properties().forEach(field -> assertThat(job.path(field.getKey())).isEqualTo(field.getValue()));
    }

    @Test
    void exactly_the_documented_fields_of_a_new_job_are_known() {
        var detail = client.submit("{\"prompt\": \"a\", \"colour\": \"red\"}").detail();
        assertThat(detail).startsWith("colour is no known field; known are ");
        assertThat(new TreeSet<>(Set.of(detail.replaceFirst(".*known are ", "").split(", "))))
                .isEqualTo(DOCUMENT.properties("NewJob"));
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_documented_limit_of_a_new_job_is_the_limit_that_holds(String field, String within, String beyond) {
        assertThat(refused(client.submit(body(field, within)), field)).isFalse();
        assertThat(refused(client.submit(body(field, beyond)), field)).isTrue();
    }

    static Stream<Arguments> limits() {
        return DOCUMENT.schema("NewJob").path("properties").properties().stream()
                .flatMap(field -> limits(field.getKey(), field.getValue()));
    }

    private static Stream<Arguments> limits(String field, JsonNode schema) {
        var limits = Stream.<Arguments>builder();
        if (schema.has("minimum")) {
            long minimum = schema.path("minimum").longValue();
            limits.add(Arguments.of(field, String.valueOf(minimum), String.valueOf(minimum - 1)));
        }
        if (schema.has("maximum") && !Set.of("width", "height", "steps").contains(field)) {
            // Those three are held to the narrower limits of the backend first.
            long maximum = schema.path("maximum").longValue();
            limits.add(Arguments.of(field, String.valueOf(maximum), String.valueOf(maximum + 1)));
        }
        if (schema.has("maxLength") && !Set.of("backend", "model", "style").contains(field)) {
            // Those three must be known names.
            int longest = schema.path("maxLength").intValue();
            limits.add(Arguments.of(field, quoted("x".repeat(longest)), quoted("x".repeat(longest + 1))));
        }
        return limits.build();
    }

    private static String quoted(String text) {
        return "\"" + text + "\"";
    }

    private static String body(String field, String value) {
        var rest = switch (field) {
            case "prompt" -> "";
            case "strength" -> "\"prompt\": \"a quiet bay\", \"input_image_id\": \"" + id("image_id") + "\", ";
            default -> "\"prompt\": \"a quiet bay\", ";
        };
        return "{" + rest + "\"" + field + "\": " + value + "}";
    }

    private static boolean refused(TestClient.Answer answer, String field) {
        if (answer.status() == 201) {
            return false;
        }
        assertThat(answer.status()).isEqualTo(422);
        assertThat(DOCUMENT.differences(DOCUMENT.schema("Problem"), answer.json())).isEmpty();
        assertThat(answer.json().path("errors").path(0).path("field").textValue()).isEqualTo(field);
        return true;
    }

    @Test
    void the_events_of_a_stream_are_as_their_schemas_say() {
        service.pipeline().gate((_, attempt) -> {
            attempt.finished(1, 20);
            new CountDownLatch(1).await();
        });
        try (EventReader events = client.events("/jobs/" + client.submit() + "/events")) {
            assertThat(DOCUMENT.differences(DOCUMENT.schema("Job"), events.next("status").data())).isEmpty();
            assertThat(DOCUMENT.differences(DOCUMENT.schema("Progress"), events.next("progress").data())).isEmpty();
        } finally {
            service.pipeline().gate((_, _) -> {});
        }
    }
}
