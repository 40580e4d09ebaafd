package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.queue.QueueControl;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.net.http.HttpRequest.BodyPublishers;
import java.math.BigDecimal;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pause, resume, and the limit of pending jobs, through HTTP. */
@Timeout(60)
class OperateApiTest {

    private static final String JOB = "{\"prompt\": \"a quiet bay\"}";

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private TestService service;
    private TestClient client;

    @BeforeEach
    void start() throws SQLException {
        DB.clear();
        service = TestService.on(DB).start();
        client = service.client();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    private TestClient.Answer post(String path, String body) {
        return client.send("POST", path, BodyPublishers.ofString(body));
    }

    @Test
    void while_everything_is_paused_a_job_waits_and_after_the_resume_it_runs() {
        var paused = post("/pause", "{}");
        assertThat(paused.status()).isEqualTo(200);
        assertThat(paused.json().path("paused")).singleElement()
                .satisfies(pause -> assertThat(pause.path("backend").isNull()).isTrue());
        var id = client.submit(JOB, "Prefer", "wait=1").id();
        assertThat(client.get("/jobs/" + id).json().path("status").textValue()).isEqualTo("pending");

        var resumed = post("/resume", "{}");
        assertThat(resumed.json().path("paused")).isEmpty();
        try (var events = client.events("/jobs/" + id + "/events")) {
            events.awaitStatus("done");
        }
    }

    @Test
    void whoever_calls_is_the_owner_of_the_settings_and_may_operate() {
        var me = client.get("/me");
        assertThat(me.header("Cache-Control")).isEqualTo("no-store");
        assertThat(me.json().toString()).isEqualTo("{\"owner_user_id\":\"" + service.owner()
                + "\",\"operator\":true,\"auth\":\"none\",\"expires_at\":null}");
    }

    @Test
    void one_backend_can_be_paused_and_what_is_paused_is_told() {
        post("/pause", "{\"backend\": \"flux\"}");
        assertThat(client.get("/pause").json().path("paused")).singleElement()
                .satisfies(pause -> assertThat(pause.path("backend").textValue()).isEqualTo("flux"));
        assertThat(client.submitAndWait(JOB).path("status").textValue()).isEqualTo("done");
        post("/resume", "{\"backend\": \"flux\"}");
        assertThat(client.get("/pause").json().path("paused")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"backend": ""}    | backend must have 1 to 200 characters, has 0
            {"backend": 1}     | backend must be a string
            {"backends": "a"}  | backends is no known field; known are backend
            """)
    void a_body_that_names_no_backend_is_refused(String body, String detail) {
        for (String path : new String[]{"/pause", "/resume"}) {
            var answer = post(path, body);
            assertThat(answer.status()).isEqualTo(422);
            assertThat(answer.detail()).isEqualTo(detail);
        }
        assertThat(client.get("/pause").json().path("paused")).isEmpty();
    }

    /** So that no web page elsewhere can do it. */
    @Test
    void a_pause_must_be_sent_as_json() {
        assertThat(client.send("POST", "/pause", BodyPublishers.ofString("{}"), "Content-Type", "text/plain").status())
                .isEqualTo(415);
        assertThat(client.send("POST", "/pause", BodyPublishers.noBody()).status()).isEqualTo(400);
    }

    @Test
    void a_job_beyond_the_budget_is_402_and_says_what_was_spent() throws SQLException {
        DB.execute("insert into imagen.usage (owner_user_id, backend, model, outcome, duration_ms, cost_usd) values ('"
                + service.owner() + "', 'mock', 'm', 'done', 1, 3)");
        new QueueControl(DB.database()).limitSpending(new BigDecimal("2.5"));
        var refused = client.submit(JOB);
        assertThat(refused.status()).isEqualTo(402);
        assertThat(refused.json().path("title").asText()).isEqualTo("Payment Required");
        assertThat(refused.detail())
                .isEqualTo("the budget is spent: 3.00 of 2.50 US dollars in this month (UTC); wait for"
                        + " the next month, or ask whoever runs this service for more");
    }

    @Test
    void a_job_beyond_the_limit_is_429_with_the_time_to_wait_and_what_to_do() {
        new QueueControl(DB.database()).limitPending(2);
        post("/pause", "{}");
        var first = client.submit(JOB, "Idempotency-Key", "a");
        client.submit(JOB);
        var refused = client.submit(JOB);
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.header("Retry-After")).isEqualTo("5");
        assertThat(refused.detail()).isEqualTo(
                "too many pending jobs: an owner may have 2 at a time; wait until some have run, or cancel some");
        // What was taken before is no new job.
        assertThat(client.submit(JOB, "Idempotency-Key", "a").id()).isEqualTo(first.id());

        client.send("POST", "/jobs/" + first.id() + "/cancel", BodyPublishers.noBody());
        assertThat(client.submit(JOB).status()).isEqualTo(201);
        assertThat(client.send("POST", "/jobs/" + first.id() + "/retry", BodyPublishers.noBody()).status())
                .isEqualTo(429);
    }
}
