package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One service for each of two owners: through no route does one see or change anything of the other. */
@Timeout(120)
class AuthorizationTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String SECRET = "a secret of the other owner";

    private static TestService other;
    private static TestService service;
    private static TestClient client;
    private static UUID doneJob;
    private static UUID image;
    private static UUID pendingJob;

    @BeforeAll
    static void start() {
        other = TestService.on(DB).start();
        service = TestService.on(DB).start();
        client = service.client();
        var done = other.client().submitAndWait("{\"prompt\": \"" + SECRET + "\"}");
        doneJob = UUID.fromString(done.path("id").textValue());
        image = UUID.fromString(done.path("image_id").textValue());
        pendingJob = other.client().submit("{\"prompt\": \"" + SECRET + "\", \"run_at\": \"9999-01-01T00:00:00Z\","
                + " \"idempotency_key\": \"the other's\"}").id();
    }

    @AfterAll
    static void stop() {
        service.close();
        other.close();
    }

    @ParameterizedTest
    @CsvSource({"GET, /jobs/JOB", "GET, /jobs/PENDING", "POST, /jobs/JOB/cancel", "POST, /jobs/PENDING/cancel",
            "POST, /jobs/JOB/retry", "POST, /jobs/PENDING/retry", "GET, /jobs/JOB/events", "GET, /jobs/PENDING/events",
            "GET, /images/IMAGE", "GET, /images/IMAGE/content", "GET, /images/IMAGE/thumbnail",
            "GET, /images/IMAGE/link", "DELETE, /images/IMAGE", "POST, /images/IMAGE/restore"})
    void what_is_anothers_is_answered_like_what_does_not_exist(String method, String route) {
        var path = route.replace("JOB", doneJob.toString()).replace("PENDING", pendingJob.toString()).replace("IMAGE",
                image.toString());
        var foreign = client.send(method, path, BodyPublishers.noBody(), "Accept", "*/*");
        var unknown = client.send(method, path.replaceFirst("[0-9a-f-]{36}", UUID.randomUUID().toString()),
                BodyPublishers.noBody(), "Accept", "*/*");
        assertThat(foreign.status()).isEqualTo(404);
        assertThat(foreign.json()).isEqualTo(unknown.json());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/jobs", "/jobs?status=done", "/jobs?status=pending", "/images", "/usage",
            "/usage?group=backend"})
    void a_list_has_nothing_of_another(String path) {
        assertThat(other.client().get(path).json().findParent("attempts") != null
                || other.client().get(path).json().toString().contains(other.owner().toString())).isTrue();
        var list = client.get(path).json();
        assertThat(list.toString()).doesNotContain(other.owner().toString());
        assertThat(list.path("usage")).isEmpty();
    }

    @Test
    void what_was_tried_changed_nothing() throws Exception {
        client.post("/jobs/" + pendingJob + "/cancel");
        client.post("/jobs/" + doneJob + "/retry");
        assertThat(DB.job(pendingJob)).containsEntry("status", "pending").containsEntry("version", 0L);
        client.send("DELETE", "/images/" + image, BodyPublishers.noBody());
        assertThat(DB.job(doneJob)).containsEntry("status", "done").containsEntry("image_id", image);
    }

    @Test
    void a_job_cannot_be_submitted_for_another() {
        var answer = client.submit("{\"prompt\": \"a\", \"owner_user_id\": \"" + other.owner() + "\"}");
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.detail()).doesNotContain(other.owner().toString());
    }

    @Test
    void a_taken_id_gives_nothing_away() {
        var answer = client.submit("{\"prompt\": \"a\", \"id\": \"" + pendingJob + "\"}");
        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.json().toString()).doesNotContain(SECRET).doesNotContain(other.owner().toString());
    }

    @Test
    void an_idempotency_key_of_another_does_not_lead_to_the_others_job() {
        var answer = client.submit("{\"prompt\": \"" + SECRET + "\", \"run_at\": \"9999-01-01T00:00:00Z\","
                + " \"idempotency_key\": \"the other's\"}");
        assertThat(answer.status()).isEqualTo(201);
        assertThat(answer.id()).isNotEqualTo(pendingJob);
        client.post("/jobs/" + answer.id() + "/cancel");
    }

    @Test
    void a_taken_id_together_with_a_key_of_ones_own_gives_nothing_away() {
        var answer = client.submit("{\"prompt\": \"a\", \"id\": \"" + pendingJob + "\"}", "Idempotency-Key", "mine");
        assertThat(answer.status()).isEqualTo(409);
    }

    @Test
    void the_stream_of_all_jobs_has_nothing_of_another() {
        try (var theirs = other.client().events("/jobs/events"); var mine = client.events("/jobs/events")) {
            mine.comment();
            assertThat(theirs.next().data().path("id").textValue()).isEqualTo(pendingJob.toString());
            other.client().submit();
            theirs.awaitStatus("done");
            // Notifications come in the order of commits: anything of the other's job would be here before this one.
            var own = client.submit().toString();
            // The first that comes may be the last already: a stream tells states, not history.
            assertThat(mine.until("done")).isNotEmpty()
                    .allSatisfy(event -> assertThat(event.data().path("id").textValue()).isEqualTo(own));
        }
    }
}
