package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.api.Mailbox.Letter;
import dev.imagen.event.JobProgress;
import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What waits for a slow client is bounded, and then its stream ends. */
class MailboxTest {

    private static final String LONG = "x".repeat(32_000);

    private static final int PREVIEW = 64 * 1024;

    private final Mailbox mailbox = new Mailbox();

    @Test
    void a_newer_state_replaces_the_older_one_that_was_not_sent() throws Exception {
        var id = UUID.randomUUID();
        IntStream.range(0, 100_000).forEach(version -> mailbox.changed(job(id, version, LONG)));
        assertThat(take()).isEqualTo(new Letter.Changed(job(id, 99_999, LONG)));
        assertThat(mailbox.take(Duration.ZERO)).isEmpty();
    }

    @Test
    void too_many_jobs_end_the_stream_and_nothing_is_added_after_its_end() throws Exception {
        assertThat(lettersAfter(20_000, "short")).isEqualTo(10_001);
    }

    @Test
    void too_much_text_ends_the_stream_and_nothing_is_added_after_its_end() throws Exception {
        assertThat(lettersAfter(5000, LONG)).isEqualTo(16 * 1024 * 1024 / LONG.length() + 1);
    }

    @Test
    void text_that_was_sent_does_not_count() throws Exception {
        for (int i = 0; i < 2000; i++) {
            mailbox.changed(job(UUID.randomUUID(), 1, LONG));
            assertThat(take()).isInstanceOf(Letter.Changed.class);
        }
    }

    @Test
    void a_slow_client_holds_one_preview_of_a_job_the_newest() throws Exception {
        var id = UUID.randomUUID();
        for (int step = 1; step <= 100; step++) {
            mailbox.progressed(progress(id, step, new byte[PREVIEW]));
        }
        mailbox.progressed(progress(id, 101, null));
        assertThat(take()).isInstanceOfSatisfying(Letter.Progressed.class, letter -> {
            assertThat(letter.progress().step()).isEqualTo(101);
            assertThat(letter.progress().preview()).isPresent();
        });
        assertThat(mailbox.take(Duration.ZERO)).isEmpty();
    }

    @Test
    void of_too_many_jobs_progress_waits_without_previews_and_the_stream_goes_on() throws Exception {
        assertThat(previewsAfter(1000)).isEqualTo(1024 * 1024 / PREVIEW);
        // They were taken: there is room for others.
        assertThat(previewsAfter(5)).isEqualTo(5);
    }

    private long previewsAfter(int jobs) throws InterruptedException {
        IntStream.range(0, jobs).forEach(_ -> mailbox.progressed(progress(UUID.randomUUID(), 1, new byte[PREVIEW])));
        long previews = 0;
        for (int i = 0; i < jobs; i++) {
            previews += ((Letter.Progressed) take()).progress().preview().stream().count();
        }
        return previews;
    }

    private static JobProgress progress(UUID job, int step, byte[] preview) {
        return new JobProgress(job, new UUID(0, 1), 1, step, 200, Duration.ZERO, Optional.ofNullable(preview));
    }

    /** How many letters come before the end. */
    private int lettersAfter(int jobs, String prompt) throws InterruptedException {
        IntStream.range(0, jobs).forEach(_ -> mailbox.changed(job(UUID.randomUUID(), 1, prompt)));
        int letters = 0;
        while (!(take() instanceof Letter.Closed)) {
            letters++;
        }
        return letters;
    }

    private Letter take() throws InterruptedException {
        return mailbox.take(Duration.ZERO).orElseThrow();
    }

    private static Job job(UUID id, long version, String prompt) {
        return new Job(id, new UUID(0, 1), NewJob.of(prompt), Optional.empty(), JobStatus.PENDING, 0, 0,
                Optional.empty(), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), version,
                Instant.EPOCH, Instant.EPOCH, Optional.empty(), Optional.empty());
    }
}
