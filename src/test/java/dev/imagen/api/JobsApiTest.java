package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestClient.Answer;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code /jobs} over HTTP. The service works on what is due; where a test counts, it starts one with an owner of its
 * own.
 */
@Timeout(120)
class JobsApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String NOT_DUE = "{\"prompt\": \"a quiet bay\", \"run_at\": \"9999-01-01T00:00:00Z\"}";

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

    private static UUID running() {
        service.pipeline().holdAll();
        var id = client.submit();
        var started = service.pipeline().awaitStarted();
        while (!started.id().equals(id)) {
            started = service.pipeline().awaitStarted();
        }
        service.pipeline().gate((_, _) -> {});
        return id;
    }

    private static UUID failed() {
        service.pipeline().failAll("the sky fell down");
        var job = client.submitAndWait("{\"prompt\": \"a quiet bay\"}");
        service.pipeline().gate((_, _) -> {});
        assertThat(job.path("status").textValue()).isEqualTo("failed");
        return UUID.fromString(job.path("id").textValue());
    }

    private static UUID done() {
        var job = client.submitAndWait("{\"prompt\": \"a quiet bay\"}");
        assertThat(job.path("status").textValue()).isEqualTo("done");
        return UUID.fromString(job.path("id").textValue());
    }

    private static void assertProblem(Answer answer, int status, String detail) {
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
        assertThat(answer.json().path("status").intValue()).isEqualTo(status);
        assertThat(answer.detail()).contains(detail);
    }

    @Nested
    class Submitting {

        @Test
        void a_new_job_is_answered_with_201_its_location_and_the_whole_job() {
            var answer = client.submit("""
                    {"prompt": "a quiet bay", "negative_prompt": "people", "style": "ink", "width": 640, "seed": 7,
                     "priority": -2, "max_attempts": 5, "run_at": "9999-01-01T00:00:00Z"}""");
            assertThat(answer.status()).isEqualTo(201);
            assertThat(answer.header("Location")).isEqualTo("/jobs/" + answer.id());
            assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
            var job = answer.json();
            assertThat(job.path("owner_user_id").textValue()).isEqualTo(service.owner().toString());
            assertThat(job.path("status").textValue()).isEqualTo("pending");
            assertThat(job.path("prompt").textValue()).isEqualTo("a quiet bay");
            assertThat(job.path("negative_prompt").textValue()).isEqualTo("people");
            assertThat(job.path("width").intValue()).isEqualTo(640);
            assertThat(job.path("height").isNull()).isTrue();
            assertThat(job.path("priority").intValue()).isEqualTo(-2);
            assertThat(job.path("max_attempts").intValue()).isEqualTo(5);
            assertThat(job.path("run_at").textValue()).isEqualTo("9999-01-01T00:00:00Z");
            assertThat(job.path("version").intValue()).isZero();
        }

        @Test
        void the_location_of_a_new_job_leads_to_the_job() {
            var submitted = client.submit(NOT_DUE);
            var found = client.get(submitted.header("Location"));
            assertThat(found.status()).isEqualTo(200);
            assertThat(found.id()).isEqualTo(submitted.id());
        }

        @Test
        void a_client_may_choose_the_id() {
            var id = UUID.randomUUID();
            assertThat(client.submit("{\"id\": \"" + id + "\", \"prompt\": \"a quiet bay\"}").id()).isEqualTo(id);
        }

        @Test
        void an_id_that_is_taken_is_a_conflict_that_does_not_say_by_whom() throws Exception {
            var other = UUID.randomUUID();
            var taken = DB.insertJob(other);
            var answer = client.submit("{\"id\": \"" + taken + "\", \"prompt\": \"a quiet bay\"}");
            assertProblem(answer, 409, "a job with this id exists: choose another id");
            assertThat(answer.json().toString()).doesNotContain(other.toString());
        }

        @Test
        void ones_own_owner_may_be_named_and_another_is_forbidden() {
            var body = "{\"prompt\": \"a quiet bay\", \"owner_user_id\": \"%s\"}";
            assertThat(client.submit(body.formatted(service.owner())).status()).isEqualTo(201);
            assertProblem(client.submit(body.formatted(UUID.randomUUID())), 403, "owner_user_id must be your own");
        }

        @Test
        void a_job_runs_to_its_end_and_shows_its_image() {
            var job = client.get("/jobs/" + done()).json();
            assertThat(job.path("image_url").textValue())
                    .isEqualTo("/images/" + job.path("image_id").textValue() + "/content");
            assertThat(job.path("backend").textValue()).isEqualTo("mock");
            assertThat(job.path("attempt").intValue()).isEqualTo(1);
            assertThat(job.path("completed_at").isNull()).isFalse();
            assertThat(client.get(job.path("image_url").textValue()).status()).isEqualTo(200);
        }

        @Test
        void a_job_shows_what_became_of_each_attempt() {
            var job = client.get("/jobs/" + done()).json();
            assertThat(job.path("attempts")).singleElement().satisfies(attempt -> {
                assertThat(attempt.path("attempt").intValue()).isEqualTo(1);
                assertThat(attempt.path("outcome").textValue()).isEqualTo("done");
                assertThat(attempt.path("worker_id")).isEqualTo(job.path("worker_id"));
                assertThat(attempt.path("started_at")).isEqualTo(job.path("started_at"));
                assertThat(attempt.path("ended_at")).isEqualTo(job.path("completed_at"));
                assertThat(attempt.path("error").isNull()).isTrue();
            });
        }
    }

    @Nested
    class Idempotency {

        private final String key = UUID.randomUUID().toString();

        @Test
        void the_same_body_again_gives_the_first_job() {
            var first = client.submit(NOT_DUE, "Idempotency-Key", key);
            var second = client.submit(NOT_DUE, "Idempotency-Key", key);
            assertThat(first.status()).isEqualTo(201);
            assertThat(second.status()).isEqualTo(200);
            assertThat(second.json()).isEqualTo(first.json());
            assertThat(second.header("Location")).isEqualTo("/jobs/" + first.id());
        }

        @Test
        void the_order_of_fields_and_white_space_make_no_other_body() {
            client.submit("{\"prompt\": \"a\", \"seed\": 1}", "Idempotency-Key", key);
            assertThat(client.submit("{ \"seed\":1, \"prompt\":\"a\" }", "Idempotency-Key", key).status())
                    .isEqualTo(200);
        }

        @Test
        void another_body_is_refused() {
            client.submit(NOT_DUE, "Idempotency-Key", key);
            var other = client.submit("{\"prompt\": \"a loud bay\"}", "Idempotency-Key", key);
            assertProblem(other, 422, "Idempotency-Key was used before with another body");
        }

        @Test
        void the_field_in_the_body_is_the_same_key_and_the_header_goes_before_it() {
            var body = "{\"prompt\": \"a\", \"idempotency_key\": \"" + key + "\"}";
            var first = client.submit(body);
            assertThat(client.submit("{\"prompt\": \"a\"}", "Idempotency-Key", key).id()).isEqualTo(first.id());
            assertThat(client.submit(body, "Idempotency-Key", UUID.randomUUID().toString()).status()).isEqualTo(201);
        }

        @Test
        void the_key_of_another_owner_is_another_key() {
            var first = client.submit(NOT_DUE, "Idempotency-Key", key);
            try (var other = TestService.on(DB).withoutWorker().start()) {
                var second = other.client().submit(NOT_DUE, "Idempotency-Key", key);
                assertThat(second.status()).isEqualTo(201);
                assertThat(second.id()).isNotEqualTo(first.id());
            }
        }

        @Test
        void a_job_that_finished_meanwhile_is_the_answer_too() {
            var body = "{\"prompt\": \"a quiet bay\"}";
            client.submit(body, "Idempotency-Key", key, "Prefer", "wait=60");
            var again = client.submit(body, "Idempotency-Key", key);
            assertThat(again.status()).isEqualTo(200);
            assertThat(again.json().path("status").textValue()).isEqualTo("done");
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 256})
        void a_key_that_is_empty_or_too_long_is_refused(int length) {
            assertProblem(client.submit(NOT_DUE, "Idempotency-Key", "k".repeat(length)), 422,
                    "Idempotency-Key must have 1 to 255 characters");
        }
    }

    @Nested
    class Waiting {

        @Test
        void prefer_wait_answers_with_the_finished_job() {
            var answer = client.submit("{\"prompt\": \"a quiet bay\"}", "Prefer", "wait=60");
            assertThat(answer.status()).isEqualTo(201);
            assertThat(answer.json().path("status").textValue()).isEqualTo("done");
            assertThat(answer.json().path("image_url").textValue()).startsWith("/images/");
            assertThat(answer.header("Preference-Applied")).isEqualTo("wait=60");
        }

        @Test
        void when_the_time_is_up_the_job_is_shown_as_it_is() {
            var answer = client.submit(NOT_DUE, "Prefer", "wait=1");
            assertThat(answer.status()).isEqualTo(201);
            assertThat(answer.json().path("status").textValue()).isEqualTo("pending");
            assertThat(answer.header("Preference-Applied")).isEqualTo("wait=1");
        }

        @Test
        void a_longer_wait_than_a_minute_is_a_minute() {
            var answer = client.submit("{\"prompt\": \"a quiet bay\"}", "Prefer", "wait=86400");
            assertThat(answer.header("Preference-Applied")).isEqualTo("wait=60");
            assertThat(answer.json().path("status").textValue()).isEqualTo("done");
        }

        @ParameterizedTest
        @ValueSource(strings = {"wait", "wait=", "wait=soon", "wait=-5", "wait=0", "wait=1.5", "wait=99999999999",
                "respond-async", "return=minimal", ",,,", "\"wait=5\""})
        void nonsense_is_ignored(String preference) {
            var answer = client.submit(NOT_DUE, "Prefer", preference);
            assertThat(answer.status()).isEqualTo(201);
            assertThat(answer.json().path("status").textValue()).isEqualTo("pending");
            assertThat(answer.header("Preference-Applied")).isEmpty();
        }

        @Test
        void wait_is_found_among_other_preferences() {
            var answer = client.submit("{\"prompt\": \"a quiet bay\"}", "Prefer", "respond-async, WAIT=\"30\"; foo=1");
            assertThat(answer.header("Preference-Applied")).isEqualTo("wait=30");
        }

        @Test
        void a_failed_job_ends_the_wait_with_its_error() {
            service.pipeline().failAll("the sky fell down");
            var job = client.submitAndWait("{\"prompt\": \"a quiet bay\"}");
            service.pipeline().gate((_, _) -> {});
            assertThat(job.path("status").textValue()).isEqualTo("failed");
            assertThat(job.path("error").textValue()).isEqualTo("the sky fell down");
            assertThat(job.path("image_url").isNull()).isTrue();
        }
    }

    @Nested
    class Finding {

        @Test
        void the_position_is_told_while_pending() {
            try (var idle = TestService.on(DB).withoutWorker().start()) {
                var second = idle.client().submit(due("9998-01-02")).id();
                var first = idle.client().submit(due("9998-01-01")).id();
                assertThat(position(idle, first)).isPositive();
                assertThat(position(idle, second)).isEqualTo(position(idle, first) + 1);
            }
        }

        private static String due(String day) {
            return "{\"prompt\": \"a quiet bay\", \"run_at\": \"" + day + "T00:00:00Z\"}";
        }

        private static long position(TestService idle, UUID id) {
            var job = idle.client().get("/jobs/" + id).json();
            assertThat(job.path("image_url").isNull()).isTrue();
            return job.path("position").longValue();
        }

        @Test
        void a_job_that_is_not_pending_has_no_position() {
            assertThat(client.get("/jobs/" + done()).json().path("position").isNull()).isTrue();
        }

        @Test
        void a_running_job_shows_when_it_began_and_who_runs_it() {
            var job = client.get("/jobs/" + running()).json();
            assertThat(job.path("status").textValue()).isEqualTo("running");
            assertThat(job.path("started_at").isNull()).isFalse();
            assertThat(job.path("worker_id").isNull()).isFalse();
            assertThat(job.path("position").isNull()).isTrue();
        }

        @Test
        void an_unknown_and_a_foreign_job_are_not_there_in_the_same_words() throws Exception {
            assertProblem(client.get("/jobs/" + UUID.randomUUID()), 404, "no such job");
            assertProblem(client.get("/jobs/" + DB.insertJob(UUID.randomUUID())), 404, "no such job");
        }
    }

    @Nested
    class Listing {

        @Test
        void pages_hold_every_job_once_newest_first() {
            try (var idle = TestService.on(DB).withoutWorker().start()) {
                var submitted = new ArrayList<UUID>();
                for (int i = 0; i < 5; i++) {
                    submitted.addFirst(idle.client().submit(NOT_DUE).id());
                }
                assertThat(pages(idle.client(), "/jobs?limit=2", 3)).isEqualTo(submitted);
            }
        }

        @Test
        void a_page_that_is_just_full_is_the_last() {
            try (var idle = TestService.on(DB).withoutWorker().start()) {
                idle.client().submit(NOT_DUE);
                idle.client().submit(NOT_DUE);
                assertThat(pages(idle.client(), "/jobs?limit=2", 1)).hasSize(2);
            }
        }

        @Test
        void jobs_of_the_same_moment_are_not_lost_between_pages() throws Exception {
            try (var idle = TestService.on(DB).withoutWorker().start()) {
                // One statement: created_at is the same for all.
                DB.execute("insert into imagen.jobs (owner_user_id, prompt, run_at) select '" + idle.owner()
                        + "', 'a test', now() + interval '1 day' from generate_series(1, 7)");
                assertThat(pages(idle.client(), "/jobs?limit=3", 3)).doesNotHaveDuplicates().hasSize(7);
            }
        }

        private static List<UUID> pages(TestClient client, String path, int expected) {
            var ids = new ArrayList<UUID>();
            var page = client.get(path).json();
            int pages = 1;
            ids.addAll(ids(page));
            while (!page.path("next_cursor").isNull()) {
                page = client.get(path + "&cursor=" + page.path("next_cursor").textValue()).json();
                ids.addAll(ids(page));
                pages++;
            }
            assertThat(pages).isEqualTo(expected);
            return ids;
        }

        private static List<UUID> ids(JsonNode page) {
            return StreamSupport.stream(page.path("jobs").spliterator(), false)
                    .map(job -> UUID.fromString(job.path("id").textValue())).toList();
        }

        @Test
        void the_status_filters() {
            var done = done();
            var failed = failed();
            assertThat(ids(client.get("/jobs?status=done").json())).contains(done).doesNotContain(failed);
            assertThat(ids(client.get("/jobs?status=failed").json())).contains(failed).doesNotContain(done);
            assertThat(ids(client.get("/jobs?status=&limit=200").json())).contains(done, failed);
        }

        @Test
        void an_owner_without_jobs_gets_an_empty_page() {
            try (var idle = TestService.on(DB).withoutWorker().start()) {
                var page = idle.client().get("/jobs").json();
                assertThat(page.path("jobs").isArray()).isTrue();
                assertThat(page.path("jobs")).isEmpty();
                assertThat(page.path("next_cursor").isNull()).isTrue();
            }
        }

        @ParameterizedTest
        @CsvSource({"status=sleeping, 422, 'status must be one of pending, running, done, failed, cancelled'",
                "status=DONE, 422, status must be one of", "status=%00, 422, status must be one of",
                "limit=0, 422, limit must be a whole number from 1 to 200",
                "limit=201, 422, limit must be a whole number from 1 to 200",
                "limit=-1, 422, limit must be a whole number from 1 to 200",
                "limit=ten, 422, limit must be a whole number from 1 to 200",
                "limit=99999999999, 422, limit must be a whole number from 1 to 200",
                "cursor=nonsense, 400, cursor must be the next_cursor of an earlier answer",
                "cursor=%2F%2F%2F, 400, cursor must be", "cursor=MV8y, 400, cursor must be",
                "offset=5, 422, 'offset is no known parameter; known are status, limit, cursor'"})
        void a_bad_parameter_is_refused_by_name(String query, int status, String detail) {
            assertProblem(client.get("/jobs?" + query), status, detail);
        }

        @ParameterizedTest
        @ValueSource(strings = {"+1000000000-12-31T23:59:59Z", "-1000000000-01-01T00:00:00Z", "+294277-01-01T00:00:00Z",
                "-4713-01-01T00:00:00Z"})
        void a_forged_cursor_beyond_the_times_of_the_database_is_no_failure_of_the_server(String time) {
            var cursor = Base64.getUrlEncoder().withoutPadding()
                    .encodeToString((time + "_" + UUID.randomUUID()).getBytes(StandardCharsets.UTF_8));
            assertProblem(client.get("/jobs?cursor=" + cursor), 400, "cursor must be");
        }
    }

    @Nested
    class Cancelling {

        @Test
        void a_pending_job_is_cancelled_at_once() {
            var id = client.submit(NOT_DUE).id();
            var answer = client.post("/jobs/" + id + "/cancel");
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.json().path("status").textValue()).isEqualTo("cancelled");
        }

        @Test
        void a_cancelled_job_may_be_cancelled_again() {
            var id = client.submit(NOT_DUE).id();
            client.post("/jobs/" + id + "/cancel");
            assertThat(client.post("/jobs/" + id + "/cancel").status()).isEqualTo(200);
        }

        @Test
        void the_worker_of_a_running_job_is_asked_to_stop() {
            var id = running();
            try (var events = client.events("/jobs/" + id + "/events")) {
                var answer = client.post("/jobs/" + id + "/cancel");
                assertThat(answer.status()).isEqualTo(202);
                assertThat(answer.json().path("cancel_requested_at").isNull()).isFalse();
                events.awaitStatus("cancelled");
            }
        }

        @Test
        void a_finished_job_cannot_be_cancelled() {
            assertProblem(client.post("/jobs/" + done() + "/cancel"), 409,
                    "the job is done: only a pending or running job can be cancelled");
            assertProblem(client.post("/jobs/" + failed() + "/cancel"), 409, "the job is failed");
        }

        @Test
        void an_unknown_and_a_foreign_job_are_not_there() throws Exception {
            assertProblem(client.post("/jobs/" + UUID.randomUUID() + "/cancel"), 404, "no such job");
            var foreign = DB.row(
                    "insert into imagen.jobs (owner_user_id, prompt, run_at) values (?, 'a', now() + interval '1 day')"
                            + " returning id",
                    UUID.randomUUID()).get("id");
            assertProblem(client.post("/jobs/" + foreign + "/cancel"), 404, "no such job");
            assertThat(DB.job((UUID) foreign)).containsEntry("status", "pending");
        }
    }

    @Nested
    class Retrying {

        @Test
        void a_failed_job_is_pending_again_and_runs() {
            var id = failed();
            var answer = client.post("/jobs/" + id + "/retry");
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.json().path("status").textValue()).isEqualTo("pending");
            assertThat(answer.json().path("error").isNull()).isTrue();
            try (var events = client.events("/jobs/" + id + "/events")) {
                events.awaitStatus("done");
            }
        }

        @Test
        void a_cancelled_job_is_pending_again() {
            var id = client.submit(NOT_DUE).id();
            client.post("/jobs/" + id + "/cancel");
            var answer = client.post("/jobs/" + id + "/retry");
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.json().path("cancel_requested_at").isNull()).isTrue();
        }

        @Test
        void a_pending_a_running_and_a_done_job_cannot_be_retried() {
            assertProblem(client.post("/jobs/" + client.submit(NOT_DUE).id() + "/retry"), 409,
                    "the job is pending: only a failed or cancelled job can be retried");
            assertProblem(client.post("/jobs/" + running() + "/retry"), 409, "the job is running");
            assertProblem(client.post("/jobs/" + done() + "/retry"), 409, "the job is done");
        }

        @Test
        void an_unknown_and_a_foreign_job_are_not_there() throws Exception {
            assertProblem(client.post("/jobs/" + UUID.randomUUID() + "/retry"), 404, "no such job");
            var foreign = DB.insertJob(UUID.randomUUID());
            assertProblem(client.post("/jobs/" + foreign + "/retry"), 404, "no such job");
        }
    }
}
