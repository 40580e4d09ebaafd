package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.config.Settings;
import dev.imagen.testing.TestServer;
import dev.imagen.testing.TestService;
import io.helidon.common.testing.http.junit5.SocketHttpClient;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.observe.metrics.MetricsObserver;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no HTTP client would send, written to the socket as they are. */
@ServerTest
@Timeout(120)
class RawRequestsTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static TestService service;

    private final SocketHttpClient socket;

    RawRequestsTest(SocketHttpClient socket) {
        this.socket = socket;
    }

    /**
     * The server under test is the one that Helidon's extension starts, configured as the service configures its own;
     * the database is made here because this runs before any other extension.
     */
    @SetUpServer
    static void configure(WebServerConfig.Builder server) throws SQLException {
        service = TestService.on(TestServer.shared().newDatabase()).withoutWorker().start();
        ApiServer.configure(server,
                new Settings.Server("localhost", 0, true, Duration.ofSeconds(30), Duration.ZERO, 100, Set.of(),
                        Optional.empty()),
                service.parts(), service.access(), List.of(MetricsObserver.create()), new Draining());
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @AfterEach
    void a_good_request_is_still_answered() {
        socket.disconnect();
        socket.connect();
        var answer = socket.sendAndReceive(Method.GET, "/jobs", null);
        assertThat(SocketHttpClient.statusFromResponse(answer)).isEqualTo(Status.OK_200);
    }

    private static JsonNode problem(String answer, int status) throws Exception {
        assertThat(SocketHttpClient.statusFromResponse(answer).code()).as(answer).isEqualTo(status);
        assertThat(answer).contains("application/problem+json").doesNotContain("Exception").doesNotContain("\tat ");
        var problem = MAPPER.readTree(SocketHttpClient.entityFromResponse(answer, true));
        assertThat(problem.path("status").intValue()).isEqualTo(status);
        assertThat(problem.path("detail").textValue()).isNotBlank().isNotEqualTo("null");
        return problem;
    }

    private String receive(String request) {
        socket.requestRaw(request.replace("\n", "\r\n"));
        return socket.receive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET  /jobs HTTP/1.1\nHost: localhost\n\n",
            "GET /jobs HTTP/1.1\nHost: localhost\nno colon\n\n", "GET /jobs HTTP/1.1\nHost: localhost\nBad Name: 1\n\n",
            "GET /jobs HTTP/1.1\n\n", "GET /jobs HTTP/1.1\nHost: local host\n\n",
            "GET /jobs\u0000 HTTP/1.1\nHost: localhost\n\n",
            "POST /jobs HTTP/1.1\nHost: localhost\nContent-Length: many\n\n{}",
            "{\"a\":1} /jobs HTTP/1.1\nHost: localhost\n\n"})
    void a_request_that_is_no_http_is_a_problem(String request) throws Exception {
        problem(receive(request), 400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/nowhere", "/jobs/x", "/jobs"})
    void an_answer_to_head_has_no_body_that_would_be_taken_for_the_next_answer(String path) {
        var answer = receive("HEAD " + path + " HTTP/1.1\nHost: localhost\n\n");
        assertThat(answer).startsWith("HTTP/1.1 404").contains("Content-Length: 0").doesNotContain("{");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /resume", "GET /jobs", "POST /nowhere", "HEAD /jobs", "GET /jobs/x", "POST /jobs"})
    void after_a_body_that_nobody_asked_to_go_on_with_nothing_is_to_follow_on_the_connection(String route) {
        assertThat(receive(route + " HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
                + "Expect: 100-continue\nContent-Length: 4\n\nnull")).contains("Connection: close");
    }

    /** The connection lets all that begins so be as long as a picture. */
    @ParameterizedTest
    @ValueSource(strings = {"/images", "/images/", "/images?a=b", "/images/x/restore", "/images/../jobs", "/imagesque"})
    void a_picture_in_chunks_is_refused_before_any_of_it_is_read(String path) throws Exception {
        var answer = receive("POST " + path + " HTTP/1.1\nHost: localhost\nContent-Type: image/png\n"
                + "Transfer-Encoding: chunked\n\n");
        assertThat(problem(answer, 400).path("detail").textValue())
                .isEqualTo("send a picture with its length (Content-Length), and not in chunks");
        assertThat(answer).contains("Connection: close");
    }

    /** Before it is sent: who sends on may see the connection end before the answer. */
    @Test
    void a_body_over_the_limit_is_refused_when_its_length_is_announced() throws Exception {
        var answer = receive("POST /jobs HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
                + "Content-Length: 307200\n\n");
        assertThat(problem(answer, 413).path("detail").textValue())
                .isEqualTo("the body is longer than 256 KiB (262144 bytes)");
    }

    @Test
    void a_picture_over_the_limit_is_refused_when_its_length_is_announced() throws Exception {
        var answer = receive(
                "POST /images HTTP/1.1\nHost: localhost\nContent-Type: image/png\n" + "Content-Length: 67108865\n\n");
        assertThat(problem(answer, 413).path("detail").textValue())
                .isEqualTo("the picture has more bytes than images.bytes (IMAGES_BYTES) allows: 67108864");
        var longer = receive("POST /images HTTP/1.1\nHost: localhost\nContent-Type: image/png\n"
                + "Content-Length: 67108865000\n\n");
        assertThat(problem(longer, 413).path("detail").textValue())
                .isEqualTo("the body is longer than any that is taken here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"NONSENSE\n\n", "GET /jobs\n\n", "GET /jobs HTTP/9.9\nHost: localhost\n\n"})
    void another_protocol_is_cut_off_without_an_answer(String request) {
        assertThat(receive(request)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/jobs?status=%zz", "/jobs?status=%", "/usage?from=%4", "/openapi?format=%zz"})
    void a_query_that_cannot_be_decoded_is_a_problem(String path) throws Exception {
        var answer = receive("GET " + path + " HTTP/1.1\nHost: localhost\n\n");
        assertThat(problem(answer, 400).path("detail").textValue())
                .isEqualTo("the query is not percent-encoded: write %25 for %");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/jobs/%zz", "/jobs/%", "/jobs/../../etc/passwd", "/images/..%2f..%2fetc%2fpasswd/content",
            "//jobs//", "/jobs/\"", "/jobs;a=b"})
    void a_strange_path_is_no_failure_of_the_server(String path) throws Exception {
        var answer = receive("GET " + path + " HTTP/1.1\nHost: localhost\n\n");
        assertThat(SocketHttpClient.statusFromResponse(answer).code()).as(answer).isLessThan(500);
        assertThat(answer).doesNotContain("Exception").doesNotContain("root:");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/observe;x/metrics", "/observe;/metrics", "/observe/metrics;a=b", "/;/observe/metrics",
            "/jobs;x", "/jobs;a=b?limit=1", "/;"})
    void a_path_with_parameters_that_a_proxy_could_take_for_another_one_leads_nowhere(String path) throws Exception {
        var answer = receive("GET " + path + " HTTP/1.1\nHost: localhost\n\n");
        assertThat(problem(answer, 404).path("detail").textValue()).contains("paths have no parameters here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/observe/metrics", "/openapi", "/jobs?cursor=;", "/usage?group=day;"})
    void a_semicolon_elsewhere_and_paths_without_one_are_what_they_were(String path) {
        var answer = receive("GET " + path + " HTTP/1.1\nHost: localhost\n\n");
        assertThat(answer).doesNotContain("paths have no parameters").doesNotStartWith("HTTP/1.1 404");
    }

    @Test
    void an_encoded_semicolon_begins_no_parameters() throws Exception {
        for (String path : List.of("/observe%3bx/metrics", "/observe%3B/metrics", "/jobs%3bx")) {
            problem(receive("GET " + path + " HTTP/1.1\nHost: localhost\n\n"), 404);
        }
    }

    @ParameterizedTest
    @CsvSource({"GET, /usage?from=2026-01-31T00:00:00Z&group=day", "GET, /jobs?status=%64one"})
    void a_query_with_what_the_standard_allows_is_taken(String method, String path) {
        var answer = receive(method + " " + path + " HTTP/1.1\nHost: localhost\n\n");
        assertThat(SocketHttpClient.statusFromResponse(answer)).as(answer).isEqualTo(Status.OK_200);
    }

    @Test
    void a_path_that_is_too_long_is_a_problem() throws Exception {
        var answer = receive("GET /jobs/" + "x".repeat(10_000) + " HTTP/1.1\nHost: localhost\n\n");
        assertThat(SocketHttpClient.statusFromResponse(answer).code()).isIn(400, 414);
        problem(answer, SocketHttpClient.statusFromResponse(answer).code());
    }

    @Test
    void headers_that_are_too_long_are_a_problem() throws Exception {
        var answer = receive("GET /jobs HTTP/1.1\nHost: localhost\nX-Long: " + "x".repeat(30_000) + "\n\n");
        assertThat(SocketHttpClient.statusFromResponse(answer).code()).isIn(400, 431);
        problem(answer, SocketHttpClient.statusFromResponse(answer).code());
    }

    @ParameterizedTest
    @ValueSource(strings = {"many", "-1", "FFFFFFFFFFFF", ""})
    void a_chunk_without_a_length_is_a_problem(String length) throws Exception {
        var answer = receive(
                "POST /jobs HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n"
                        + length + "\n{}\n0\n\n");
        problem(answer, 400);
        // Where the next request would begin is not known.
        assertThat(answer.toLowerCase()).contains("connection: close");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 2\nContent-Length: 60\n\n{}", "Content-Length: 2\nContent-Length: 2\n\n{}",
            "Content-Length: 2, 60\n\n{}", "Content-Length: 2\nTransfer-Encoding: chunked\n\n0\n\n",
            "Transfer-Encoding: chunked\nContent-Length: 2\n\n0\n\n",
            "Transfer-Encoding: xchunked\nContent-Length: 2\n\n{}", "Transfer-Encoding: gzip, chunked\n\n0\n\n",
            "Transfer-Encoding: identity\n\n", "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n"})
    void what_follows_a_request_of_two_ends_is_nobodys_request(String framed) throws Exception {
        var answer = receive("POST /jobs HTTP/1.1\nHost: localhost\nContent-Type: application/json\n" + framed
                + "GET /smuggled HTTP/1.1\nHost: localhost\n\n");
        problem(answer, 400);
        assertThat(answer).doesNotContain("smuggled").containsIgnoringCase("connection: close");
    }

    @Test
    void a_body_that_no_route_reads_is_no_request() {
        var smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
        for (String request : List.of("GET /jobs", "POST /nowhere",
                "POST /jobs/00000000-0000-4000-8000-000000000009/cancel")) {
            var answer = receive(request + " HTTP/1.1\nHost: localhost\nContent-Length: " + smuggled.length() + "\n\n"
                    + smuggled.replace("\r", ""));
            assertThat(answer).doesNotContain("smuggled");
            assertThat(socket.sendAndReceive(Method.GET, "/backends", null)).contains("mock")
                    .doesNotContain("smuggled");
        }
    }

    @Test
    void what_is_no_http_is_told_in_one_line() throws Exception {
        var detail = problem(receive("GET /jobs HTTP/1.1\nHost: localhost\nBad Name: 1\n\n"), 400).path("detail")
                .textValue();
        assertThat(detail).doesNotContain("\n").hasSizeLessThan(200);
    }

    @Test
    void a_body_that_ends_too_early_leaves_no_job() {
        socket.requestRaw("POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{\"prompt\": \"a\"}");
        socket.disconnect();
        socket.connect();
        var answer = socket.sendAndReceive(Method.GET, "/jobs", null);
        assertThat(SocketHttpClient.entityFromResponse(answer, true)).contains("\"jobs\":[]");
    }
}
