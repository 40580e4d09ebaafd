package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestClient.Answer;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever comes in, the caller is told what to change, and the next good job is done. */
@Timeout(120)
class BadInputTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String GOOD = "{\"prompt\": \"a quiet bay\"}";

    private static TestService service;
    private static TestClient client;

    @BeforeAll
    static void start() {
        service = TestService.on(DB).start();
        client = service.client();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @AfterEach
    void a_good_job_is_still_done_afterwards() {
        assertThat(client.submitAndWait(GOOD).path("status").textValue()).isEqualTo("done");
    }

    private static void assertProblem(Answer answer, int status, String detail) {
        assertThat(answer.status()).as(answer.json().toString()).isEqualTo(status);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(answer.json().path("status").intValue()).isEqualTo(status);
        assertThat(answer.detail()).contains(detail);
        // No class, no method, no exception.
        assertThat(answer.json().toString()).doesNotContain("Exception").doesNotContain("java.").doesNotContain("com.")
                .doesNotContain("io.helidon").doesNotContain("org.").doesNotContain("\\tat ");
    }

    static Stream<Arguments> fields() {
        return Stream.of(
                // the prompt
                field("prompt", "{}", "prompt is missing: say what to show"),
                field("prompt", "{\"prompt\": null}", "prompt is missing"),
                field("prompt", "{\"prompt\": \"\"}", "prompt must have 1 to 32000 characters, has 0"),
                field("prompt", "{\"prompt\": \" \\n\\t \"}", "prompt must not be blank"),
                field("prompt", "{\"prompt\": \"" + "x".repeat(40_000) + "\"}",
                        "prompt must have 1 to 32000 characters, has 40000"),
                field("prompt", "{\"prompt\": 7}", "prompt must be a string"),
                field("prompt", "{\"prompt\": [\"a\"]}", "prompt must be a string"),
                field("prompt", "{\"prompt\": \"a\\u0000b\"}", "prompt must not contain the NUL character"),
                field("prompt", "{\"prompt\": \"a\\ud800b\"}", "prompt must be valid Unicode"),
                field("prompt", "{\"prompt\": \"a\\udc00\"}", "prompt must be valid Unicode"),
                with("negative_prompt", "\"\\u0000\"", "negative_prompt must not contain the NUL character"),
                // numbers
                with("width", "7", "width must be a whole number from 16 to 8192"),
                with("width", "8193", "width must be a whole number from 16 to 8192"),
                with("width", "4096", "width must be from 16 to 2048 for backend mock"),
                with("height", "\"512\"", "height must be a whole number"),
                with("height", "512.0", "height must be a whole number"),
                with("steps", "0", "steps must be a whole number from 1 to 10000"),
                with("steps", "151", "steps must be from 1 to 150 for backend mock"),
                with("seed", "-1", "seed must be a whole number from 0 to 9007199254740991"),
                with("seed", "9007199254740992", "seed must be a whole number"),
                with("seed", "99999999999999999999999999", "seed must be a whole number"),
                with("seed", "1.5", "seed must be a whole number"), with("seed", "1e3", "seed must be a whole number"),
                with("seed", "true", "seed must be a whole number"),
                with("priority", "1", "priority must be a whole number from -100 to 0"),
                with("max_attempts", "26", "max_attempts must be a whole number from 1 to 25"),
                with("count", "0", "count must be a whole number from 1 to 10"),
                with("count", "11", "count must be a whole number from 1 to 10"),
                with("strength", "0.5", "strength means nothing without input_image_id"),
                field("strength",
                        "{\"prompt\": \"a\", \"input_image_id\": \"" + new UUID(0, 1) + "\", \"strength\": 1.5}",
                        "strength must be a number from 0 to 1"),
                with("input_image_id", "\"17\"", "input_image_id must be a uuid"),
                with("input_image_id", "\"" + new UUID(0, 1) + "\"",
                        "input_image_id is no image of this owner, or was deleted"),
                with("params", "[1]", "params must be an object"),
                with("params", "{\"a\": \"" + "x".repeat(16_384) + "\"}", "params must have at most 16384 bytes"),
                with("params", "{\"a\": \"\\u0000\"}", "params must not contain the NUL character"),
                // names
                with("backend", "\"dream\"", "backend \"dream\" is unknown: use one of mock"),
                with("model", "\"sd\"", "model \"sd\" is none of backend mock: use one of mock-landscape"),
                with("style", "\"baroque\"", "style \"baroque\" is unknown: use one of anime, "),
                with("style", "\"\"", "style must have 1 to 200 characters"),
                with("promt", "\"a\"", "promt is no known field; known are backend, "),
                field("params.cfg", "{\"prompt\": \"a\", \"params\": {\"cfg\": 7}}",
                        "params.cfg is no parameter of backend mock, which has none"),
                with("status", "\"done\"", "status is no known field"),
                // others
                with("id", "\"17\"", "id must be a uuid"), with("id", "\"1-1-1-1-1\"", "id must be a uuid"),
                with("owner_user_id", "\"me\"", "owner_user_id must be a uuid"),
                with("run_at", "\"tomorrow\"", "run_at must be a time such as"),
                with("run_at", "\"2026-01-31T12:00:00\"", "run_at must be a time such as"),
                with("run_at", "\"+12026-01-31T12:00:00Z\"", "run_at must be a time in the years 1 to 9999"),
                with("idempotency_key", "\"\"", "idempotency_key must have 1 to 255 characters"));
    }

    private static Arguments with(String field, String value, String detail) {
        return field(field, "{\"prompt\": \"a quiet bay\", \"" + field + "\": " + value + "}", detail);
    }

    private static Arguments field(String field, String body, String detail) {
        return Arguments.of(field, body, detail);
    }

    @ParameterizedTest
    @MethodSource("fields")
    void a_wrong_field_is_refused_by_its_name(String field, String body, String detail) {
        var answer = client.submit(body);
        assertProblem(answer, 422, detail);
        assertThat(answer.json().path("errors")).hasSize(1);
        assertThat(answer.json().path("errors").path(0).path("field").textValue()).isEqualTo(field);
        assertThat(answer.json().path("errors").path(0).path("detail").textValue()).isNotBlank();
    }

    @Test
    void all_wrong_fields_are_told_at_once() {
        var answer = client.submit("{\"prompt\": \" \", \"width\": 7, \"seed\": -1, \"style\": \"x\", \"colour\": 1}");
        assertProblem(answer, 422, "5 fields must be changed, see errors");
        assertThat(answer.json().path("errors").findValuesAsText("field")).containsExactlyInAnyOrder("prompt", "width",
                "seed", "style", "colour");
    }

    @Test
    void the_largest_picture_of_the_backend_is_not_too_large() {
        assertThat(client.submit("{\"prompt\": \"a\", \"width\": 2048, \"height\": 2048}").status()).isEqualTo(201);
    }

    static Stream<Arguments> bodies() {
        return Stream.of(Arguments.of("", "the body must be a JSON object"),
                Arguments.of("   ", "the body must be a JSON object"), Arguments.of("[]", "must be a JSON object"),
                Arguments.of("\"a quiet bay\"", "must be a JSON object"), Arguments.of("null", "must be a JSON object"),
                Arguments.of("42", "must be a JSON object"), Arguments.of("a quiet bay", "the body is not valid JSON"),
                Arguments.of("{\"prompt\": \"a\"", "the body is not valid JSON"),
                Arguments.of("{\"prompt\": \"a\",}", "the body is not valid JSON"),
                Arguments.of("{'prompt': 'a'}", "the body is not valid JSON"),
                Arguments.of("{\"prompt\": \"a\"} {}", "the body is not valid JSON"),
                Arguments.of("{\"prompt\": \"a\", \"prompt\": \"b\"}", "Duplicate field 'prompt' at line 1, column"),
                Arguments.of("{\"prompt\": \"a\nb\"}", "the body is not valid JSON"),
                Arguments.of("{\"seed\": " + "9".repeat(2000) + "}", "the body is not valid JSON"),
                Arguments.of("[".repeat(5000), "the body is not valid JSON"),
                Arguments.of("prompt=a+quiet+bay", "the body is not valid JSON"));
    }

    @ParameterizedTest
    @MethodSource("bodies")
    void a_body_that_is_no_json_object_is_refused(String body, String detail) {
        assertProblem(client.submit(body), 400, detail);
    }

    @ParameterizedTest
    @ValueSource(strings = {"C3", "7B22FF22", "EFBBBF5B5D", "0000", "FEFF007B", "1F8B0800"})
    void bytes_that_are_no_text_are_refused(String hexadecimal) {
        var bytes = HexFormat.of().parseHex(hexadecimal);
        assertProblem(client.send("POST", "/jobs", BodyPublishers.ofByteArray(bytes)), 400, "the body ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
            "image/png", "application/jsonp"})
    void another_content_type_than_json_is_refused(String type) {
        assertProblem(client.submit(GOOD, "Content-Type", type), 415, "send the body as application/json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"nonsense", ";;;", "application/", "/json", "a/b/c", "application/json/x"})
    void a_content_type_that_is_none_is_refused(String type) {
        assertProblem(client.submit(GOOD, "Content-Type", type), 415, "send the body as application/json");
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json; charset=utf-8", "APPLICATION/JSON", "application/json;",
            "application/ld+json"})
    void every_json_content_type_is_taken(String type) {
        assertThat(client.submit(GOOD, "Content-Type", type).status()).isEqualTo(201);
    }

    @ParameterizedTest
    @ValueSource(strings = {"🌊 a bay 👩‍👩‍👧", "خليج هادئ", "שָׁלוֹם bay", "静かな湾", "a\u202Ebay",
            "\"; drop table imagen.jobs; --", "<script>alert(1)</script>", "%s %n \\ \u007F", "\uFFFD\uFEFF\u2028"})
    void a_prompt_in_any_script_comes_back_as_it_was(String prompt) {
        var body = JsonNodeFactory.instance.objectNode().put("prompt", prompt);
        var job = client.submitAndWait(body.toString());
        assertThat(job.path("prompt").textValue()).isEqualTo(prompt);
        assertThat(job.path("status").textValue()).isEqualTo("done");
        assertThat(client.get("/images/" + job.path("image_id").textValue()).json().path("prompt").textValue())
                .isEqualTo(prompt);
    }

    @Test
    void characters_are_counted_not_their_bytes_or_halves() {
        assertThat(client.submit("{\"prompt\": \"" + "🌊".repeat(32_000) + "\"}").status()).isEqualTo(201);
        assertProblem(client.submit("{\"prompt\": \"" + "🌊".repeat(32_001) + "\"}"), 422, "has 32001");
    }

    @ParameterizedTest
    @CsvSource({"GET, /jobs/17", "GET, /jobs/1-1-1-1-1", "GET, /jobs/%00", "GET, /jobs/{}", "GET, /jobs/17/events",
            "POST, /jobs/17/cancel", "POST, /jobs/17/retry", "GET, /images/17", "GET, /images/17/content"})
    void a_wrong_uuid_in_the_path_is_refused(String method, String path) {
        var encoded = path.replace("{}", "%7B%7D");
        assertProblem(client.send(method, encoded, BodyPublishers.noBody()), 400, "in the path is no uuid");
    }

    private static final int TOO_LONG = 300 * 1024;

    @Test
    void a_body_over_the_limit_is_refused_when_it_comes_in_chunks() {
        var body = ("{\"prompt\": \"" + "x".repeat(TOO_LONG) + "\"}").getBytes(StandardCharsets.UTF_8);
        var answer = client.send("POST", "/jobs", BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)));
        assertProblem(answer, 413, "the body is longer than 256 KiB");
    }

    @Test
    void a_good_body_may_come_in_chunks() {
        var answer = client.send("POST", "/jobs",
                BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(GOOD.getBytes(StandardCharsets.UTF_8))));
        assertThat(answer.status()).isEqualTo(201);
    }

    @ParameterizedTest
    @CsvSource({"GET, /nowhere", "GET, /jobs/1b671a64-40d5-491e-99b0-da01ff1f3341/image", "DELETE, /jobs", "PUT, /jobs",
            "PATCH, /jobs/1b671a64-40d5-491e-99b0-da01ff1f3341", "POST, /backends", "POST, /jobs/events",
            "PUT, /images/1b671a64-40d5-491e-99b0-da01ff1f3341",
            "GET, /jobs/1b671a64-40d5-491e-99b0-da01ff1f3341/cancel"})
    void a_route_or_method_that_is_not_there_is_404_and_names_the_documentation(String method, String path) {
        assertProblem(client.send(method, path, BodyPublishers.noBody()), 404,
                "there is no " + method + " " + path + "; see /openapi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/json", "text/html"})
    void a_stream_is_refused_to_who_does_not_accept_one(String accept) {
        var id = client.submit();
        assertProblem(client.get("/jobs/" + id + "/events", "Accept", accept), 406, "accept text/event-stream");
        assertProblem(client.get("/jobs/events", "Accept", accept), 406, "accept text/event-stream");
    }

    @ParameterizedTest
    @ValueSource(strings = {";;;", "nonsense", "text/event-stream;q=high", ","})
    void an_accept_header_that_is_none_is_refused(String accept) {
        var answer = client.get("/jobs/" + client.submit() + "/events", "Accept", accept);
        assertThat(answer.status()).isBetween(200, 499);
    }

    @ParameterizedTest
    @CsvSource({"/images?limit=0, 422, limit must be a whole number", "/images?cursor=x, 400, cursor must be",
            "/jobs?cursor=Xw, 400, cursor must be", "/images?cursor=X19f, 400, cursor must be",
            "/images?status=done, 422, status is no known parameter", "/usage?group=prompt, 422, group must be one of",
            "/usage?from=yesterday, 422, from must be a date", "/usage?to=2026-02-31, 422, to must be a date",
            "/usage?from=%2B999999999-12-31T23:59:59Z, 422, from must be a date",
            "/usage?from=-999999999-01-01T00:00:00Z, 422, from must be a date",
            "/usage?limit=5, 422, limit is no known parameter"})
    void a_wrong_parameter_is_refused_by_its_name(String path, int status, String detail) {
        assertProblem(client.get(path), status, detail);
    }

    static Stream<Arguments> rows() {
        return Stream.of(Arguments.of("style", "'baroque'", "style \"baroque\" is unknown: use one of anime, "),
                Arguments.of("model", "'sd'", "model \"sd\" is none of backend mock: use one of mock-landscape"),
                Arguments.of("width", "4096", "width must be from 16 to 2048 for backend mock"),
                Arguments.of("steps", "9999", "steps must be from 1 to 150 for backend mock"));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void what_the_backend_cannot_do_fails_with_a_clear_error_when_it_comes_by_sql(String column, String value,
            String error) throws Exception {
        var id = (UUID) DB.row("insert into imagen.jobs (owner_user_id, prompt, " + column + ") values (?, 'a test', "
                + value + ") returning id", service.owner()).get("id");
        try (var events = client.events("/jobs/" + id + "/events")) {
            var job = events.awaitStatus("failed").data();
            assertThat(job.path("error").textValue()).startsWith(error);
            // Another attempt would meet the same.
            assertThat(job.path("attempt").intValue()).isEqualTo(1);
        }
    }

    @Test
    void many_bad_requests_in_a_row_leave_the_service_as_it_was() {
        IntStream.range(0, 200).forEach(_ -> assertThat(client.submit("{").status()).isEqualTo(400));
    }
}
