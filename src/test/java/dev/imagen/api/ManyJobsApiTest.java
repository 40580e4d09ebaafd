package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code /queue/cancel} and {@code /queue/retry} over HTTP; {@link AccessMatrixTest} tells who may ask. */
@Timeout(60)
class ManyJobsApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static TestService service;
    private static TestClient client;

    @BeforeAll
    static void start() {
        service = TestService.on(DB).withoutWorker().start();
        client = service.client();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @BeforeEach
    void clear() throws SQLException {
        DB.clear();
    }

    private static TestClient.Answer post(String path, String body) {
        return client.send("POST", path, BodyPublishers.ofString(body));
    }

    @Test
    void jobs_of_every_owner_are_cancelled_and_retried_and_watchers_see_it() throws SQLException {
        var id = client.submit();
        DB.insertJob(UUID.randomUUID());
        try (var events = client.events("/jobs/events")) {
            events.awaitStatus("pending");
            var cancelled = post("/queue/cancel", "{\"all\": true}");
            assertThat(cancelled.status()).isEqualTo(200);
            assertThat(cancelled.json().toString()).isEqualTo("{\"cancelled\":2,\"asked\":0,\"more\":false}");
            assertThat(events.awaitStatus("cancelled").data().path("id").asText()).isEqualTo(id.toString());
        }
        var retried = post("/queue/retry",
                "{\"owner_user_id\": \"" + service.owner() + "\", \"status\": \"cancelled\"}");
        assertThat(retried.json().toString()).isEqualTo("{\"retried\":1,\"limited_owners\":0,\"more\":false}");
        assertThat(client.get("/jobs/" + id).json().path("status").asText()).isEqualTo("pending");
    }

    @Test
    void every_filter_reaches_the_jobs_that_it_means() throws SQLException {
        DB.insertJob(service.owner());
        for (var body : new String[]{"{\"backend\": \"flux\"}", "{\"owner_user_id\": \"" + UUID.randomUUID() + "\"}",
                "{\"status\": \"running\"}", "{\"since\": \"9999-01-01T00:00:00Z\"}",
                "{\"until\": \"2000-01-01T00:00:00Z\"}"}) {
            assertThat(post("/queue/cancel", body).json().path("cancelled").asInt()).as(body).isZero();
        }
        assertThat(post("/queue/cancel", "{\"backend\": \"\", \"owner_user_id\": \"" + service.owner()
                + "\", \"status\": \"pending\", \"since\": \"2000-01-01T00:00:00Z\", \"until\": \"9999-01-01T00:00:00Z\"}")
                .json().path("cancelled").asInt()).isOne();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {}                                  | all must be true where no filter says which jobs: backend, owner_user_id, status, since, until
            {"all": false}                      | all must be true where no filter says which jobs: backend, owner_user_id, status, since, until
            {"backend": null}                   | all must be true where no filter says which jobs: backend, owner_user_id, status, since, until
            {"all": true, "backend": "mock"}    | all goes without filters: leave it out, or all of them
            {"all": "yes", "backend": "mock"}   | all must be a boolean
            {"status": "done"}                  | status must be one of %s
            {"owner_user_id": "alice"}          | owner_user_id must be a uuid
            {"since": "yesterday"}              | since must be a time such as 2026-01-31T12:00:00Z
            {"backend": 1}                      | backend must be a string
            {"backends": "mock", "all": true}   | backends is no known field; known are all, backend, owner_user_id, since, status, until
            """)
    void what_does_not_say_which_jobs_is_refused_and_moves_none(String body, String detail) throws SQLException {
        DB.insertJob(service.owner());
        var cancel = post("/queue/cancel", body);
        assertThat(cancel.status()).isEqualTo(422);
        assertThat(cancel.detail()).isEqualTo(detail.replace("%s", "pending, running"));
        var retry = post("/queue/retry", body);
        assertThat(retry.status()).isEqualTo(422);
        assertThat(retry.detail()).isEqualTo(detail.replace("%s", "failed, cancelled"));
        assertThat(DB.rows("select from imagen.jobs where status = 'pending'")).hasSize(1);
    }

    /** So that no web page elsewhere can do it. */
    @Test
    void it_must_be_sent_as_json() {
        assertThat(client
                .send("POST", "/queue/cancel", BodyPublishers.ofString("{\"all\": true}"), "Content-Type", "text/plain")
                .status()).isEqualTo(415);
        assertThat(client.post("/queue/retry").status()).isEqualTo(400);
    }
}
