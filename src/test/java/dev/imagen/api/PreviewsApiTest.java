package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.event.JobEvents;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageType;
import dev.imagen.image.InvalidImageException;
import dev.imagen.job.Job;
import dev.imagen.pipeline.Attempt;
import dev.imagen.queue.JobQueue.ProgressTick;
import dev.imagen.testing.Await;
import dev.imagen.testing.EventReader;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import dev.imagen.testing.TokenIssuer;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Previews over HTTP: two owners on one service with a worker, and a replica without one. */
@Timeout(120)
class PreviewsApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String DATA_URL = "data:image/jpeg;base64,";

    private static TokenIssuer issuer;
    private static TestService service;
    private static TestService replica;

    private final String alice = "Bearer " + issuer.token(UUID.randomUUID());
    private final BlockingQueue<Attempt> attempts = new LinkedBlockingQueue<>();

    @BeforeAll
    static void start() {
        issuer = new TokenIssuer();
        service = TestService.on(DB).jwt(issuer.settings()).start();
        replica = TestService.on(DB).jwt(issuer.settings()).withoutWorker().start();
    }

    @AfterAll
    static void stop() {
        service.close();
        replica.close();
        issuer.close();
    }

    /** Each job hands its attempt to the test, and runs until it is stopped. */
    @BeforeEach
    void holdAll() {
        service.pipeline().gate((_, attempt) -> {
            attempts.add(attempt);
            new CountDownLatch(1).await();
        });
    }

    private static UUID submit(String who) {
        return service.client().submit("{\"prompt\": \"a quiet bay\"}", "Authorization", who).id();
    }

    private static EventReader events(TestClient client, String path, String who) {
        return client.events(path, "Authorization", who);
    }

    private static EventReader events(TestClient client, UUID job, String who) {
        return events(client, "/jobs/" + job + "/events", who);
    }

    private Attempt attempt() {
        return Await.next(attempts, "an attempt");
    }

    private static void cancel(UUID job, String who) {
        service.client().send("POST", "/jobs/" + job + "/cancel", BodyPublishers.noBody(), "Authorization", who);
    }

    private static ImageFile preview(JsonNode progress) throws InvalidImageException {
        var url = progress.path("preview").asText();
        assertThat(url).startsWith(DATA_URL);
        byte[] jpeg = Base64.getDecoder().decode(url.substring(DATA_URL.length()));
        assertThat(jpeg).hasSizeLessThanOrEqualTo(64 * 1024);
        return ImageFile.read(jpeg);
    }

    @Test
    void a_preview_comes_with_its_step_and_another_may_follow_before_the_next() throws Exception {
        var job = submit(alice);
        var attempt = attempt();
        try (var one = events(service.client(), job, alice);
                var all = events(service.client(), "/jobs/events", alice)) {
            one.awaitStatus("running");
            all.awaitStatus("running");
            attempt.preview(SampleImages.png(800, 400));
            attempt.finished(3, 20);
            for (EventReader events : new EventReader[]{one, all}) {
                var progress = nextPreview(events);
                assertThat(progress.path("step").intValue()).isEqualTo(3);
                assertThat(progress.path("steps").intValue()).isEqualTo(20);
                assertThat(progress.path("eta").doubleValue()).isPositive();
                assertThat(preview(progress)).isEqualTo(new ImageFile(ImageType.JPEG, 256, 128));
            }
            attempt.preview(SampleImages.jpeg(320, 200));
            var between = one.next("progress").data();
            assertThat(between.path("step").intValue()).isEqualTo(3);
            assertThat(preview(between)).isEqualTo(new ImageFile(ImageType.JPEG, 320, 200));
            attempt.finished(4, 20);
            var next = one.next("progress").data();
            assertThat(next.path("step").intValue()).isEqualTo(4);
            assertThat(next.path("preview").isNull()).isTrue();
            assertNoneWritten(job);
            cancel(job, alice);
            one.awaitStatus("cancelled");
        }
    }

    @Test
    void a_preview_is_never_shown_to_another_owner() {
        var bob = "Bearer " + issuer.token(UUID.randomUUID());
        var job = submit(alice);
        var attempt = attempt();
        try (var own = events(service.client(), job, alice);
                var strange = events(service.client(), "/jobs/events", bob);
                var elsewhere = events(replica.client(), "/jobs/events", bob)) {
            own.awaitStatus("running");
            strange.comment();
            elsewhere.comment();
            assertThat(events(service.client(), job, bob).status()).isEqualTo(404);
            attempt.preview(SampleImages.png(80, 40));
            attempt.finished(3, 20);
            nextPreview(own);
            cancel(job, alice);
            own.awaitStatus("cancelled");
            // Whatever there was of Alice's job has been told by now.
            var bobs = submit(bob);
            attempt();
            for (EventReader events : new EventReader[]{strange, elsewhere}) {
                assertThat(events.next().data().path("id").asText()).isEqualTo(bobs.toString());
            }
            cancel(bobs, bob);
        }
    }

    /** As nobody watches in another process. */
    private static void assertNoneWritten(UUID job) throws SQLException {
        await().until(() -> DB.rows("select from imagen.job_progress where job_id = ?", job).size() == 1);
        assertThat(DB.row("select preview, previews_until from imagen.job_progress where job_id = ?", job))
                .containsEntry("preview", null).containsEntry("previews_until", null);
    }

    @Test
    void who_only_waits_for_the_end_wants_no_previews() {
        var wanted = new LinkedBlockingQueue<Boolean>();
        service.pipeline().gate((job, attempt) -> {
            await().until(() -> service.parts().events().watching() > 0);
            wanted.add(attempt.previewWanted());
        });
        service.client().submit("{\"prompt\": \"a quiet bay\"}", "Authorization", alice, "Prefer", "wait=60");
        assertThat(wanted).containsExactly(false);
    }

    @Test
    void a_stream_on_one_replica_shows_previews_of_a_job_that_the_other_runs() throws Exception {
        var job = submit(alice);
        var attempt = attempt();
        assertThat(attempt.previewWanted()).isFalse();
        try (var events = events(replica.client(), job, alice)) {
            events.awaitStatus("running");
            var step = new AtomicInteger();
            await().until(() -> {
                attempt.finished(step.incrementAndGet(), 10_000);
                return attempt.previewWanted();
            });
            attempt.preview(SampleImages.png(64, 48));
            assertThat(preview(nextPreview(events))).isEqualTo(new ImageFile(ImageType.JPEG, 64, 48));
            attempt.preview(SampleImages.png(32, 16));
            assertThat(preview(nextPreview(events))).isEqualTo(new ImageFile(ImageType.JPEG, 32, 16));
        }
        cancel(job, alice);
    }

    /** Past steps without one, since the table may be quicker with a step; the same preview is not repeated. */
    private static JsonNode nextPreview(EventReader events) {
        var progress = events.next("progress").data();
        while (progress.path("preview").isNull()) {
            progress = events.next("progress").data();
        }
        return progress;
    }

    @Test
    void nothing_is_told_twice_or_backwards_whichever_way_it_comes_first() {
        var id = submit(alice);
        var job = service.pipeline().awaitStarted();
        while (!job.id().equals(id)) {
            job = service.pipeline().awaitStarted();
        }
        var told = replica.parts().events();
        try (var events = events(replica.client(), id, alice)) {
            events.awaitStatus("running");
            tell(told, job, 5, SampleImages.jpeg(50, 50));
            assertThat(events.next().data().path("preview").isTextual()).isTrue();
            tell(told, job, 5, SampleImages.jpeg(50, 50));
            tell(told, job, 5, null);
            tell(told, job, 4, SampleImages.jpeg(40, 40));
            tell(told, job, 6, SampleImages.jpeg(50, 50));
            var sixth = events.next().data();
            assertThat(sixth.path("step").intValue()).isEqualTo(6);
            assertThat(sixth.path("preview").isNull()).isTrue();
            // Another change of the job is no reason to begin anew.
            cancel(id, alice);
            tell(told, job, 6, SampleImages.jpeg(50, 50));
            for (var change = events.next(); !change.status().equals("cancelled"); change = events.next()) {
                tell(told, job, 6, SampleImages.jpeg(50, 50));
                assertThat(change.name()).isEqualTo("status");
            }
        }
    }

    private static void tell(JobEvents events, Job job, int step, byte[] preview) {
        events.progressed(
                new ProgressTick(job, step, 20, Duration.ofSeconds(step), Duration.ZERO, Optional.ofNullable(preview)));
    }
}
