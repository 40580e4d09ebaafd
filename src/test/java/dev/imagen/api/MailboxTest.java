package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.api.Mailbox.Letter;
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
