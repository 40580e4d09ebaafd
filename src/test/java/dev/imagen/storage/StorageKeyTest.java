package dev.imagen.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class StorageKeyTest {

    private static final UUID OWNER = UUID.fromString("00000000-0000-4000-8000-000000000001");
    private static final UUID ID = UUID.fromString("00000000-0000-4000-8000-000000000002");
    private static final Instant NEW_YEAR = Instant.parse("2026-12-31T23:59:59.999Z");

    @Test
    void a_key_says_owner_month_job_and_attempt() {
        assertThat(StorageKey.of(job(12), 0, "image/png")).isEqualTo(OWNER + "/2026/12/" + ID + "-12.png");
        assertThat(StorageKey.of(job(12), 3, "image/png")).isEqualTo(OWNER + "/2026/12/" + ID + "-12.3.png");
    }

    @Test
    void the_prefix_of_an_attempt_begins_its_keys_and_no_other_attempts() {
        var prefix = StorageKey.prefix(OWNER, NEW_YEAR, ID, 1);
        assertThat(StorageKey.of(job(1), 0, "image/png")).startsWith(prefix);
        assertThat(StorageKey.of(job(1), 0, "image/webp")).startsWith(prefix);
        assertThat(StorageKey.of(job(1), 1, "image/png")).startsWith(prefix);
        assertThat(StorageKey.of(job(12), 0, "image/png")).doesNotStartWith(prefix);
    }

    private static Job job(int attempt) {
        var request = new NewJob("a test", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 0, Optional.empty(), 3);
        return new Job(ID, OWNER, request, Optional.empty(), JobStatus.RUNNING, attempt, 0, Optional.empty(),
                Optional.empty(), Optional.empty(), List.of(), Optional.empty(), 1, NEW_YEAR, NEW_YEAR,
                Optional.of(NEW_YEAR), Optional.empty());
    }
}
