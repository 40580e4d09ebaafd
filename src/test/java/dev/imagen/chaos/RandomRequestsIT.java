package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.database.EmbeddedPostgres;
import dev.imagen.testing.ServiceProcess;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TokenIssuer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Random requests against a real process, sent by one owner: no failure of the server, no hang, nothing of another
 * owner, and a memory that does not grow. 100,000 of them in the long form.
 */
class RandomRequestsIT {

    private static final String SECRET = "a shared secret with more than thirty-two bytes";
    private static final UUID ALICE = UUID.randomUUID();
    private static final UUID BOB = UUID.randomUUID();
    private static final String HERS = "what only Alice may see";
    private static final Pattern USED = Pattern.compile("\\s(\\d+)K used|used (\\d+)K");
    /** What caches, pools and compiled code may still add once everything has been asked for. */
    private static final long MAY_GROW_KB = 20_000;
    private static final int WARM_UP = 2_000;

    private static Path home;
    private static ServiceProcess service;
    private static RawConnection connection;
    private static List<String> ids;
    /** Those of them that are Alice's. */
    private static List<String> hers;
    private static List<Map<String, Object>> before;
    private static RandomRequests.Request last;
    private static long sent;
    /** Those that were sent again, for their connection ended without an answer. */
    private static long unanswered;
    private static long usedAfterWarmUp;

    @BeforeContainer
    static void start() throws Exception {
        home = Files.createTempDirectory("imagen-requests");
        service = ServiceProcess.start(home,
                Map.of("AUTH_MODE", "jwt", "AUTH_JWT_SECRET", SECRET, "WORKER_CONCURRENCY", "1"));
        var job = new ObjectMapper().readTree(post(token(ALICE), HERS));
        var later = new ObjectMapper().readTree(post(token(ALICE), HERS + "\", \"run_at\": \"9999-01-01T00:00:00Z"));
        var own = new ObjectMapper().readTree(post(token(BOB), "a bay"));
        ids = new ArrayList<>();
        hers = ids(job, later);
        ids.addAll(hers);
        ids.addAll(ids(own));
        ids.add(UUID.randomUUID().toString());
        before = alices();
        connection = new RawConnection(service.awaitReady().getPort());
    }

    private static List<String> ids(JsonNode... jobs) {
        return Stream.of(jobs).flatMap(job -> Stream.of(job.path("id"), job.path("image_id")))
                .filter(JsonNode::isTextual).map(JsonNode::textValue).toList();
    }

    private static String token(UUID owner) {
        return TokenIssuer.hs256(
                TokenIssuer.claims(owner).expirationTime(Date.from(Instant.now().plusSeconds(36_000))).build(),
                SECRET.getBytes(StandardCharsets.UTF_8));
    }

    private static String post(String token, String prompt) throws Exception {
        try (var client = service.client()) {
            var answer = client.submit("{\"prompt\": \"" + prompt + "\"}", "Authorization", "Bearer " + token, "Prefer",
                    prompt.contains("run_at") ? "" : "wait=30");
            assertThat(answer.status()).isEqualTo(201);
            return new String(answer.bytes(), StandardCharsets.UTF_8);
        }
    }

    /** Her rows; of bytes only how many there are. */
    private static List<Map<String, Object>> alices() throws SQLException {
        var rows = new ArrayList<Map<String, Object>>();
        var login = EmbeddedPostgres.running(home).orElseThrow().service();
        try (var database = DriverManager.getConnection(login.url(), login.username(), login.password());
                var statement = database.createStatement()) {
            for (var table : List.of("jobs", "images", "usage")) {
                rows.addAll(TestDatabase.rows(statement.executeQuery(
                        "select * from imagen." + table + " where owner_user_id = '" + ALICE + "' order by id")));
            }
        }
        return rows.stream().map(row -> {
            row.replaceAll((_, value) -> value instanceof byte[] bytes ? List.of(bytes.length) : value);
            return row;
        }).toList();
    }

    @Provide
    Arbitrary<RandomRequests.Request> requests() {
        return new RandomRequests(token(BOB), ids).requests();
    }

    @Property
    void no_request_makes_the_server_fail_or_hang_or_tell_what_is_anothers(
            @ForAll("requests") RandomRequests.Request request) throws IOException, InterruptedException {
        var answer = answer(request);
        var earlier = last;
        last = request;
        assertThat(answer.status()).as(() -> answer + "\nafter " + earlier + "\n" + service.lastOutput(20))
                .isBetween(200, 499);
        assertThat(answer.body()).doesNotContain(HERS).doesNotContain(ALICE.toString()).doesNotContain("Exception")
                .doesNotContain("\tat ");
        if (answer.headers().getOrDefault("content-type", "").startsWith("text/event-stream")) {
            // Of a stream the head alone is read: there is to be none of what is hers.
            assertThat(request.path()).doesNotContain(hers);
        }
        if (answer.status() >= 400 && !answer.body().isEmpty()) {
            assertThat(answer.headers().get("content-type")).isEqualTo("application/problem+json");
        }
        if (++sent == WARM_UP) {
            usedAfterWarmUp = used();
        }
    }

    /** A kept connection may end as the next request is sent: then a new one must bring the answer. */
    private static RawConnection.Answer answer(RandomRequests.Request request) throws IOException {
        var answer = connection.exchange(request.bytes());
        if (answer.status() == 0) {
            unanswered++;
            return connection.exchange(request.bytes());
        }
        return answer;
    }

    /** What is reachable in the process's heap, in KiB. */
    private static long used() throws IOException, InterruptedException {
        command("GC.run");
        var info = command("GC.heap_info");
        return USED.matcher(info).results()
                .mapToLong(found -> Long.parseLong(found.group(1) == null ? found.group(2) : found.group(1))).limit(2)
                .sum();
    }

    private static String command(String command) throws IOException, InterruptedException {
        var jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        var process = new ProcessBuilder(jcmd, String.valueOf(service.pid()), command).redirectErrorStream(true)
                .start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    @AfterContainer
    static void nothing_of_another_owner_was_changed_and_the_memory_has_not_grown() throws Exception {
        try (var stopped = service) {
            assertThat(alices()).isEqualTo(before);
            if (usedAfterWarmUp > 0) {
                long used = used();
                System.out.printf(
                        "chaos: %d random requests, %d of them twice; heap in use %d KiB after %d, %d KiB at the end%n",
                        sent, unanswered, usedAfterWarmUp, WARM_UP, used);
                assertThat(used).isLessThan(usedAfterWarmUp + MAY_GROW_KB);
            }
            assertThat(stopped.output()).doesNotContain("SEVERE");
        } finally {
            if (connection != null) {
                connection.close();
            }
            delete(home);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
