package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What thousands of streams tell is made once, and is never another job's or an older state. */
class StatusEventsTest {

    private final StatusEvents events = new StatusEvents(job -> String.valueOf(job.version()));

    @Test
    void streams_that_tell_the_same_share_its_bytes() {
        var id = UUID.randomUUID();
        assertThat(events.of(job(id, 1))).isSameAs(events.of(job(id, 1)));
    }

    @Test
    void a_newer_state_is_told_as_it_is_and_so_is_the_older_one_where_it_comes_late() {
        var id = UUID.randomUUID();
        for (long version : List.of(1L, 2L, 1L)) {
            assertThat(text(job(id, version))).startsWith("id: " + version + "\nevent: status\ndata: {\"id\":\"" + id)
                    .contains("\"version\":" + version + ",").endsWith("}\n\n");
        }
    }

    @Test
    void of_more_jobs_than_are_kept_each_stays_itself() {
        var jobs = IntStream.range(0, 1_000).mapToObj(i -> job(UUID.randomUUID(), i)).toList();
        for (int round = 0; round < 2; round++) {
            assertThat(jobs).allSatisfy(job -> assertThat(text(job)).contains(job.id().toString())
                    .startsWith("id: " + job.version() + "\n"));
        }
    }

    private String text(Job job) {
        return new String(events.of(job), StandardCharsets.UTF_8);
    }

    private static Job job(UUID id, long version) {
        return new Job(id, new UUID(0, 1), NewJob.of("a quiet bay"), Optional.empty(), JobStatus.PENDING, 0, 0,
                Optional.empty(), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), version,
                Instant.EPOCH, Instant.EPOCH, Optional.empty(), Optional.empty());
    }
}
