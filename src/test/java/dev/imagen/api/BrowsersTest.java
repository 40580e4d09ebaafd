package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a browser is told, and which pages may use the API from one. */
@Timeout(120)
class BrowsersTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String PAGE = "https://app.example.com";
    private static final String PREFLIGHT = "Access-Control-Request-Method";

    private static TestService service;
    private static TestService withPages;
    private static String image;

    @BeforeAll
    static void start() {
        service = TestService.on(DB).withoutWorker().with("server.names", "images.example.com").start();
        withPages = TestService.on(DB).owner(service.owner()).with("api.origins", PAGE + ",http://localhost:3000")
                .start();
        image = withPages.client().submitAndWait("{\"prompt\": \"a\"}").path("image_url").textValue();
    }

    @AfterAll
    static void stop() {
        withPages.close();
        service.close();
    }

    private record Answer(int status, Map<String, String> headers, String body) {

        String header(String name) {
            return headers.getOrDefault(name, "");
        }
    }

    /** By hand: a client of Java's may set neither Origin nor Host. */
    private static Answer ask(TestService service, String method, String path, String... headers) {
        var request = new StringBuilder(method + " " + path + " HTTP/1.1\r\n");
        if (!List.of(headers).contains("Host")) {
            request.append("Host: localhost:").append(service.port()).append("\r\n");
        }
        for (int i = 0; i < headers.length; i += 2) {
            request.append(headers[i]).append(": ").append(headers[i + 1]).append("\r\n");
        }
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), service.port())) {
            socket.getOutputStream().write(request.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
            var answer = head(socket.getInputStream());
            var found = new TreeMap<String, String>(String.CASE_INSENSITIVE_ORDER);
            answer.lines().skip(1).filter(line -> !line.isEmpty()).map(line -> line.split(": ", 2))
                    .forEach(header -> assertThat(found.put(header[0], header[1])).isNull());
            int length = Integer.parseInt(found.getOrDefault("Content-Length", "0"));
            return new Answer(Integer.parseInt(answer.split(" ")[1]), found,
                    new String(socket.getInputStream().readNBytes(length), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Up to the empty line. */
    private static String head(InputStream in) throws IOException {
        var head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) in.read());
        }
        return head.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/jobs", "/images", "IMAGE", "/backends", "/jobs/1", "/nowhere", "/jobs?limit=0",
            "/jobs?x=%zz", "/openapi", "/observe/nothing", "/jobs/%zz", "/images/00000000-0000-4000-8000-000000000009"})
    void every_answer_says_that_a_browser_is_to_make_nothing_of_it(String path) {
        assertHardened(ask(withPages, "GET", path.replace("IMAGE", image)));
    }

    private static void assertHardened(Answer answer) {
        assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
        assertThat(answer.header("Referrer-Policy")).isEqualTo("no-referrer");
        assertThat(answer.header("X-Frame-Options")).isEqualTo("DENY");
        assertThat(answer.header("Content-Security-Policy")).isEqualTo("default-src 'none'; frame-ancestors 'none'");
        assertThat(answer.headers()).doesNotContainKey("Server");
    }

    @Test
    void so_does_what_fails_before_it_reaches_a_route() {
        var answer = ask(service, "GET", "/jobs", "Host", "local host");
        assertThat(answer.status()).isEqualTo(400);
        assertHardened(answer);
    }

    @ParameterizedTest
    @CsvSource({"/jobs, 200", "/jobs/1, 400", "/nowhere, 404", "/jobs?limit=0, 422"})
    void answers_of_data_and_problems_are_kept_nowhere(String path, int status) {
        var answer = ask(service, "GET", path);
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
    }

    @ParameterizedTest
    @ValueSource(strings = {PAGE, "http://localhost:3000", "null", "https://app.example.com.evil.example"})
    void by_default_no_page_may_read_an_answer(String origin) {
        var answer = ask(service, "GET", "/jobs", "Origin", origin);
        assertThat(answer.status()).isEqualTo(200);
        assertNothingAllowed(answer);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "https://app.example.com.evil.example", "http://app.example.com",
            "https://app.example.com:8443", "https://APP.example.com", "https://evil.example"})
    void a_page_that_is_not_listed_may_neither_read_nor_change(String origin) {
        assertNothingAllowed(ask(withPages, "GET", "/jobs", "Origin", origin));
        for (var refused : List.of(ask(withPages, "OPTIONS", "/jobs", "Origin", origin, PREFLIGHT, "POST"),
                ask(withPages, "POST", "/jobs/" + UUID.randomUUID() + "/cancel", "Origin", origin),
                ask(withPages, "DELETE", image.replace("/content", ""), "Origin", origin))) {
            assertThat(refused.status()).isEqualTo(403);
            assertThat(refused.body()).contains("api.origins (API_ORIGINS)");
            assertNothingAllowed(refused);
            assertHardened(refused);
        }
        assertThat(ask(withPages, "GET", image).status()).isEqualTo(200);
    }

    private static void assertNothingAllowed(Answer answer) {
        assertThat(answer.headers().keySet()).noneMatch(name -> name.toLowerCase().startsWith("access-control-"));
    }

    @ParameterizedTest
    @ValueSource(strings = {PAGE, "http://localhost:3000"})
    void a_listed_page_is_told_before_a_request_what_it_may_send(String origin) {
        var answer = ask(withPages, "OPTIONS", "/jobs", "Origin", origin, PREFLIGHT, "POST",
                "Access-Control-Request-Headers", "authorization,content-type");
        assertThat(answer.status()).isEqualTo(204);
        assertThat(answer.header("Access-Control-Allow-Origin")).isEqualTo(origin);
        assertThat(answer.header("Access-Control-Allow-Methods")).isEqualTo("GET, POST, DELETE");
        assertThat(answer.header("Access-Control-Allow-Headers")).contains("Authorization", "Content-Type",
                "Idempotency-Key", "Last-Event-ID", "Prefer");
        assertThat(answer.header("Vary")).isEqualTo("Origin, Authorization");
        assertThat(answer.headers()).doesNotContainKey("Access-Control-Allow-Credentials");
        assertHardened(answer);
    }

    @ParameterizedTest
    @CsvSource({"GET, /jobs, 200", "GET, /jobs/1, 400", "GET, /nowhere, 404", "GET, IMAGE, 200",
            "POST, /jobs/00000000-0000-4000-8000-000000000009/cancel, 404", "POST, /jobs, 400"})
    void a_listed_page_reads_answers_and_problems(String method, String path, int status) {
        var answer = ask(withPages, method, path.replace("IMAGE", image), "Origin", PAGE);
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.header("Access-Control-Allow-Origin")).isEqualTo(PAGE);
        assertThat(answer.header("Access-Control-Expose-Headers")).contains("Location", "Retry-After", "ETag");
        assertThat(answer.header("Vary")).isEqualTo("Origin, Authorization");
        assertThat(answer.headers()).doesNotContainKey("Access-Control-Allow-Credentials");
    }

    /** A page's own name leads here, and its scripts take the answers for those of its own server. */
    @ParameterizedTest
    @CsvSource({"GET, /jobs", "GET, /images", "GET, IMAGE", "POST, /jobs/00000000-0000-4000-8000-000000000009/cancel",
            "DELETE, IMAGE", "GET, /jobs/events", "GET, /observe/health", "GET, /openapi", "GET, /nowhere"})
    void a_server_that_its_address_alone_guards_answers_to_no_strange_name(String method, String path) {
        for (var host : List.of("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example",
                "evillocalhost", "1.evil", "x@127.0.0.1", "[::1].evil.example")) {
            var answer = ask(withPages, method, path.replace("IMAGE", image), "Host", host, "Origin", "http://" + host);
            assertThat(answer.status()).as(host).isIn(421, 400);
            assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
            assertHardened(answer);
        }
        assertThat(ask(withPages, "GET", "/jobs", "Host", "evil.example").body()).contains("server.names");
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "LocalHost:8080", "localhost.", "app.localhost:1", "127.0.0.1", "127.0.0.2:80",
            "[::1]", "[::1]:8080", "images.example.com", "Images.Example.Com.:443"})
    void it_answers_to_its_own_names_and_to_addresses(String host) {
        assertThat(ask(service, "GET", "/jobs", "Host", host).status()).isEqualTo(200);
    }

    @Test
    void a_page_of_the_service_itself_needs_no_permission() {
        var host = "images.example.com";
        var answer = ask(service, "POST", "/jobs/" + UUID.randomUUID() + "/cancel", "Host", host, "Origin",
                "https://" + host);
        assertThat(answer.status()).isEqualTo(404);
    }

    @Test
    void an_option_that_is_no_preflight_is_a_method_like_any_other() {
        assertThat(ask(withPages, "OPTIONS", "/jobs", "Origin", PAGE).status()).isEqualTo(404);
        assertThat(ask(service, "OPTIONS", "/jobs").status()).isEqualTo(404);
    }
}
