package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.testing.EventReader;
import dev.imagen.testing.EventReader.End;
import dev.imagen.testing.EventReader.Event;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.ClassOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestClassOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The event streams over HTTP, each test with an owner of its own. */
@Timeout(180)
@TestClassOrder(ClassOrderer.OrderAnnotation.class)
class EventsApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String NOT_DUE = "{\"prompt\": \"a quiet bay\", \"run_at\": \"9999-01-01T00:00:00Z\"}";

    /** Opened before all others, which are tried while nothing happens on it. */
    private static QuietStream quiet;

    private TestService service;
    private TestClient client;

    private record QuietStream(TestService service, UUID job, EventReader events) {

        static QuietStream open() {
            var service = TestService.on(DB).withoutWorker().start();
            var job = service.client().submit(NOT_DUE).id();
            return new QuietStream(service, job, service.client().events(EventsApiTest.events(job)));
        }
    }

    @BeforeAll
    static void openQuietStream() {
        quiet = QuietStream.open();
    }

    @AfterAll
    static void closeQuietStream() {
        quiet.events().close();
        quiet.service().close();
    }

    @BeforeEach
    void start() {
        service = TestService.on(DB).start();
        client = service.client();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    private static String events(UUID job) {
        return "/jobs/" + job + "/events";
    }

    private UUID notDue() {
        return client.submit(NOT_DUE).id();
    }

    private UUID done() {
        return UUID.fromString(client.submitAndWait("{\"prompt\": \"a quiet bay\"}").path("id").textValue());
    }

    private void cancel(UUID job) {
        assertThat(client.post("/jobs/" + job + "/cancel").status()).isBetween(200, 202);
    }

    private static UUID job(Event event) {
        return UUID.fromString(event.data().path("id").textValue());
    }

    /** Inserted as any other program of the owner would. */
    private static UUID insert(UUID owner) throws SQLException {
        try (var connection = DB.as(owner);
                var statement = connection.prepareStatement(
                        "insert into imagen.jobs (prompt, run_at) values ('by sql', '9999-01-01') returning id");
                var result = statement.executeQuery()) {
            result.next();
            var id = result.getObject(1, UUID.class);
            connection.commit();
            return id;
        }
    }

    @Nested
    class OfOneJob {

        @Test
        void the_state_comes_at_once_with_the_version_as_its_id() {
            try (var events = client.events(events(notDue()))) {
                assertThat(events.status()).isEqualTo(200);
                var first = events.next();
                assertThat(first.name()).isEqualTo("status");
                assertThat(first.status()).isEqualTo("pending");
                assertThat(first.id()).contains("0");
                assertThat(first.data().path("prompt").textValue()).isEqualTo("a quiet bay");
            }
        }

        @Test
        void each_change_follows_with_a_higher_version_and_the_stream_ends_after_the_last() {
            var release = new CountDownLatch(1);
            service.pipeline().gate((_, _) -> release.await());
            var id = client.submit();
            service.pipeline().awaitStarted();
            try (var events = client.events(events(id))) {
                var running = events.next();
                assertThat(running.status()).isEqualTo("running");
                release.countDown();
                var done = events.next("status");
                assertThat(done.status()).isEqualTo("done");
                assertThat(version(done)).isGreaterThan(version(running));
                var found = (ObjectNode) client.get("/jobs/" + id).json();
                // Attempts and place in line would cost every event a look of its own.
                found.remove("attempts");
                assertThat(done.data()).isEqualTo(found);
                assertThat(events.item()).isInstanceOf(End.class);
            }
        }

        /** By the service or an operator: what is another's from then on is not told to whom it was before. */
        @Test
        void a_job_that_becomes_another_owners_ends_the_stream_untold() throws Exception {
            var id = notDue();
            try (var events = client.events(events(id))) {
                assertThat(events.next().status()).isEqualTo("pending");
                DB.execute("update imagen.jobs set owner_user_id = gen_random_uuid(), error = 'not yours' where id = '"
                        + id + "'");
                assertThat(events.item()).isInstanceOf(End.class);
            }
        }

        private static long version(Event event) {
            assertThat(event.id()).contains(event.data().path("version").asText());
            return event.data().path("version").longValue();
        }

        @Test
        void a_request_to_cancel_a_running_job_is_a_change_too() {
            service.pipeline().holdAll();
            var id = client.submit();
            service.pipeline().awaitStarted();
            try (var events = client.events(events(id))) {
                assertThat(events.next().data().path("cancel_requested_at").isNull()).isTrue();
                cancel(id);
                assertThat(events.awaitStatus("cancelled").data().path("cancel_requested_at").isNull()).isFalse();
                assertThat(events.item()).isInstanceOf(End.class);
            }
        }

        @Test
        void a_failed_job_ends_the_stream_with_its_error() {
            service.pipeline().failAll("the sky fell down");
            try (var events = client.events(events(client.submit()))) {
                assertThat(events.awaitStatus("failed").data().path("error").textValue())
                        .isEqualTo("the sky fell down");
                assertThat(events.item()).isInstanceOf(End.class);
            }
        }

        @Test
        void a_finished_job_is_told_once_and_the_stream_ends() {
            try (var events = client.events(events(done()))) {
                assertThat(events.next().status()).isEqualTo("done");
                assertThat(events.item()).isInstanceOf(End.class);
            }
        }

        @Test
        void a_state_that_the_client_has_is_not_told_again() {
            var id = notDue();
            try (var events = client.events(events(id), "Last-Event-ID", "0")) {
                assertThat(events.comment()).isEqualTo("open");
                cancel(id);
                assertThat(events.next().status()).isEqualTo("cancelled");
            }
        }

        @Test
        void a_state_that_the_client_missed_is_told() {
            var id = notDue();
            cancel(id);
            try (var events = client.events(events(id), "Last-Event-ID", "0")) {
                assertThat(events.next().status()).isEqualTo("cancelled");
                assertThat(events.item()).isInstanceOf(End.class);
            }
        }

        @Test
        void who_has_the_end_is_told_not_to_come_back() {
            var id = done();
            var version = client.get("/jobs/" + id).json().path("version").asText();
            var answer = client.get(events(id), "Last-Event-ID", version, "Accept", "text/event-stream");
            assertThat(answer.status()).isEqualTo(204);
            assertThat(answer.bytes()).isEmpty();
        }

        @ParameterizedTest
        @ValueSource(strings = {"nonsense", "-1", "99999999999999999999", "1.5", "2026-01-31T12:00:00Z_x"})
        void a_last_event_id_that_is_none_is_ignored(String id) {
            try (var events = client.events(events(notDue()), "Last-Event-ID", id)) {
                assertThat(events.next().status()).isEqualTo("pending");
            }
        }

        @Test
        void streams_are_not_to_be_kept_or_held_back_on_the_way() {
            var answer = client.get(events(done()), "Accept", "text/event-stream");
            assertThat(answer.header("Content-Type")).isEqualTo("text/event-stream");
            assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
            assertThat(answer.header("X-Accel-Buffering")).isEqualTo("no");
        }
    }

    @Nested
    class OfAllJobs {

        @Test
        void what_is_not_finished_comes_first_and_what_is_does_not() {
            var finished = done();
            var waiting = notDue();
            try (var events = client.events("/jobs/events")) {
                assertThat(job(events.next())).isEqualTo(waiting);
                cancel(waiting);
                var next = events.next();
                assertThat(job(next)).isEqualTo(waiting).isNotEqualTo(finished);
                assertThat(next.status()).isEqualTo("cancelled");
            }
        }

        @Test
        void every_change_of_every_job_follows() {
            try (var events = client.events("/jobs/events")) {
                events.comment();
                var first = client.submit();
                assertThat(job(events.awaitStatus("done"))).isEqualTo(first);
                var second = client.submit();
                assertThat(job(events.awaitStatus("done"))).isEqualTo(second);
            }
        }

        @Test
        void a_job_that_is_inserted_by_sql_is_told_without_a_worker_touching_it() throws Exception {
            try (var events = client.events("/jobs/events")) {
                events.comment();
                var id = insert(service.owner());
                var event = events.next();
                assertThat(job(event)).isEqualTo(id);
                assertThat(event.status()).isEqualTo("pending");
                assertThat(event.data().path("prompt").textValue()).isEqualTo("by sql");
            }
        }

        @Test
        void many_jobs_of_one_statement_are_all_told() throws Exception {
            try (var events = client.events("/jobs/events")) {
                events.comment();
                // More than one notification can name.
                DB.execute("insert into imagen.jobs (owner_user_id, prompt, run_at) select '" + service.owner()
                        + "', 'a test', '9999-01-01' from generate_series(1, 500)");
                var told = IntStream.range(0, 500).mapToObj(_ -> job(events.next())).toList();
                assertThat(told).doesNotHaveDuplicates();
            }
        }

        @Test
        void another_owners_jobs_are_not_told() throws Exception {
            try (var events = client.events("/jobs/events")) {
                events.comment();
                insert(UUID.randomUUID());
                // Notifications come in the order of commits: the other's would be here first.
                var own = insert(service.owner());
                assertThat(job(events.next())).isEqualTo(own);
            }
        }

        @Test
        void who_comes_back_hears_what_finished_meanwhile() {
            var id = notDue();
            String last;
            try (var events = client.events("/jobs/events")) {
                last = events.next().id().orElseThrow();
            }
            cancel(id);
            try (var events = client.events("/jobs/events", "Last-Event-ID", last)) {
                var event = events.next();
                assertThat(job(event)).isEqualTo(id);
                assertThat(event.status()).isEqualTo("cancelled");
            }
        }

        @Test
        void what_finished_long_before_the_last_event_is_not_told_again() throws Exception {
            var old = done();
            DB.execute("update imagen.jobs set updated_at = now() - interval '1 hour' where id = '" + old + "'");
            var recent = notDue();
            try (var events = client.events("/jobs/events", "Last-Event-ID",
                    client.get("/jobs/" + recent).json().path("updated_at").textValue() + "_" + recent)) {
                assertThat(job(events.next())).isEqualTo(recent);
            }
        }

        @Test
        void a_last_event_id_that_is_none_begins_anew() {
            var waiting = notDue();
            for (String id : List.of("nonsense", "17", "_", "+1000000000-12-31T23:59:59Z_x",
                    "-1000000000-01-01T00:00:00Z_x")) {
                try (var events = client.events("/jobs/events", "Last-Event-ID", id)) {
                    assertThat(events.status()).isEqualTo(200);
                    assertThat(job(events.next())).isEqualTo(waiting);
                }
            }
        }
    }

    @Nested
    class Progressing {

        @Test
        void a_slow_job_tells_its_steps_and_an_estimate() {
            service.pipeline().gate((_, attempt) -> {
                // So many to come that the first one's fraction of a millisecond is seconds in all.
                attempt.finished(1, 100_000);
                new CountDownLatch(1).await();
            });
            var id = client.submit();
            try (var one = client.events(events(id)); var all = client.events("/jobs/events")) {
                for (EventReader events : List.of(one, all)) {
                    var progress = events.next("progress");
                    assertThat(progress.id()).isEmpty();
                    assertThat(progress.data().path("job_id").textValue()).isEqualTo(id.toString());
                    assertThat(progress.data().path("step").intValue()).isEqualTo(1);
                    assertThat(progress.data().path("steps").intValue()).isEqualTo(100_000);
                    assertThat(progress.data().path("eta").doubleValue()).isPositive();
                }
            }
        }
    }

    @Nested
    class Replicas {

        @Test
        void a_stream_on_one_replica_tells_of_a_job_that_the_other_runs() {
            try (var reader = TestService.on(DB).owner(service.owner()).withoutWorker().start()) {
                var release = new CountDownLatch(1);
                service.pipeline().gate((_, attempt) -> {
                    attempt.finished(1, 2);
                    release.await();
                });
                var id = reader.client().submit();
                try (var events = reader.client().events(events(id))) {
                    events.awaitStatus("running");
                    assertThat(events.next("progress").data().path("step").intValue()).isEqualTo(1);
                    release.countDown();
                    events.awaitStatus("done");
                    assertThat(events.item()).isInstanceOf(End.class);
                }
            }
        }

        @Test
        void prefer_wait_on_one_replica_waits_for_a_job_that_the_other_runs() {
            try (var reader = TestService.on(DB).owner(service.owner()).withoutWorker().start()) {
                assertThat(reader.client().submitAndWait("{\"prompt\": \"a\"}").path("status").textValue())
                        .isEqualTo("done");
            }
        }
    }

    @Nested
    class Many {

        private static final int STREAMS = 1_000;

        private final List<EventReader> streams = new ArrayList<>();

        @AfterEach
        void close() {
            streams.forEach(EventReader::close);
        }

        @Test
        void a_thousand_streams_of_one_job_all_tell_its_end_over_one_listening_connection() throws Exception {
            var id = notDue();
            for (int i = 0; i < STREAMS; i++) {
                streams.add(client.events(events(id)));
            }
            awaitOpen();
            assertOneListener();
            cancel(id);
            streams.forEach(EventsApiTest::assertEndsCancelled);
            assertOneListener();
        }

        @Test
        void a_thousand_streams_of_a_thousand_jobs_each_tell_the_end_of_theirs() throws Exception {
            var ids = DB.rows("insert into imagen.jobs (owner_user_id, prompt, run_at) select ?, 'a test',"
                    + " '9999-01-01' from generate_series(1, " + STREAMS + ") returning id", service.owner());
            ids.forEach(row -> streams.add(client.events(events((UUID) row.get("id")))));
            awaitOpen();
            assertOneListener();
            DB.rows("select imagen.cancel_job(id) from imagen.jobs where owner_user_id = ?", service.owner());
            streams.forEach(EventsApiTest::assertEndsCancelled);
            assertOneListener();
        }

        private void awaitOpen() {
            streams.forEach(stream -> assertThat(stream.next().status()).isEqualTo("pending"));
        }

        /** And no stream holds a connection of the pool, or there would be none left for the next request. */
        private void assertOneListener() throws SQLException {
            assertThat(client.get("/jobs?limit=1").status()).isEqualTo(200);
            var connections = DB.row("""
                    select count(*) filter (where query ilike 'listen %' or query ilike '%pg_listening_channels%')
                               as listening, count(*) as open
                      from pg_stat_activity where application_name = ?
                    """, service.name());
            assertThat(connections).containsEntry("listening", 1L);
            assertThat((Long) connections.get("open")).isLessThanOrEqualTo(DB.settings().pool() + 1L);
        }
    }

    private static void assertEndsCancelled(EventReader stream) {
        assertThat(stream.next("status").status()).isEqualTo("cancelled");
        assertThat(stream.item()).isInstanceOf(End.class);
    }

    @Nested
    class Breaks {

        @Test
        void streams_go_on_when_the_listening_connection_is_killed() throws Exception {
            var before = notDue();
            var after = notDue();
            try (var one = client.events(events(before)); var all = client.events("/jobs/events")) {
                one.next();
                assertThat(List.of(job(all.next()), job(all.next()))).containsExactlyInAnyOrder(before, after);
                killListener();
                // Nobody may be listening at this moment.
                cancel(before);
                assertEndsCancelled(one);
                assertThat(job(all.awaitStatus("cancelled"))).isEqualTo(before);
                cancel(after);
                assertThat(job(all.awaitStatus("cancelled"))).isEqualTo(after);
            }
        }

        private void killListener() throws SQLException {
            assertThat(DB.rows("""
                    select pg_terminate_backend(pid) as killed
                      from pg_stat_activity
                     where application_name = ? and (query ilike 'listen %' or query ilike '%pg_listening_channels%')
                    """, service.name())).extracting(row -> row.get("killed")).containsExactly(true);
        }

        @Test
        void streams_go_on_when_every_connection_is_killed() throws Exception {
            var id = notDue();
            try (var events = client.events(events(id))) {
                events.next();
                DB.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = ?",
                        service.name());
                DB.rows("select imagen.cancel_job(?)", id);
                assertEndsCancelled(events);
            }
        }

        @Test
        void without_listen_streams_tell_the_same() throws Exception {
            try (var polling = TestService.on(DB).pollOnly().start()) {
                try (var all = polling.client().events("/jobs/events")) {
                    all.comment();
                    var inserted = insert(polling.owner());
                    assertThat(job(all.next("status"))).isEqualTo(inserted);
                    var id = polling.client().submit();
                    try (var one = polling.client().events(events(id))) {
                        one.awaitStatus("done");
                        assertThat(one.item()).isInstanceOf(End.class);
                    }
                    assertThat(job(all.awaitStatus("done"))).isEqualTo(id);
                }
                assertThat(DB.rows("select from pg_stat_activity where application_name = ? and query ilike 'listen %'",
                        polling.name())).isEmpty();
            }
        }

        @Test
        void the_streams_end_when_the_service_stops() {
            try (var one = client.events(events(notDue())); var all = client.events("/jobs/events")) {
                one.next();
                all.next();
                service.stopEvents();
                assertThat(one.item()).isInstanceOf(End.class);
                assertThat(all.item()).isInstanceOf(End.class);
            }
        }

        @Test
        void a_stream_that_is_opened_while_the_service_stops_ends_too() {
            var id = notDue();
            service.stopEvents();
            try (var one = client.events(events(id)); var all = client.events("/jobs/events")) {
                assertThat(one.next().status()).isEqualTo("pending");
                assertThat(one.item()).isInstanceOf(End.class);
                assertThat(all.next().status()).isEqualTo("pending");
                assertThat(all.item()).isInstanceOf(End.class);
            }
        }

        @Test
        void nobody_is_watched_for_after_the_end_of_the_stream_or_of_its_client() {
            var id = notDue();
            try (var staying = client.events(events(id)); var all = client.events("/jobs/events")) {
                staying.next();
                all.next();
                leave(client.events(events(id)));
                cancel(id);
                assertEndsCancelled(staying);
                leave(all);
            }
            await().until(() -> {
                // That a client left shows when an event cannot be sent.
                notDue();
                return service.parts().events().watching() == 0;
            });
        }

        private static void leave(EventReader stream) {
            stream.comment();
            stream.close();
        }
    }

    @Nested
    @Order(Integer.MAX_VALUE)
    class AfterAllOthers {

        @Test
        void a_stream_that_nothing_happens_on_is_kept_open_by_comments_which_are_no_events() {
            try (var events = quiet.events()) {
                assertThat(events.comment()).isEqualTo("open");
                assertThat(events.comment()).isEqualTo("still here");
                assertThat(events.next().status()).isEqualTo("pending");
                assertThat(events.empty()).isTrue();
                quiet.service().client().post("/jobs/" + quiet.job() + "/cancel");
                assertThat(events.next().status()).isEqualTo("cancelled");
            }
        }
    }
}
