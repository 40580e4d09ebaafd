package dev.imagen.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class JobProgressTest {

    private static final UUID JOB = UUID.randomUUID();
    private static final UUID OWNER = UUID.randomUUID();
    private static final byte[] OLD = {1};
    private static final byte[] NEW = {2};

    private static JobProgress progress(int attempt, int step, byte[] preview) {
        return progress(OWNER, attempt, step, preview);
    }

    private static JobProgress progress(UUID owner, int attempt, int step, byte[] preview) {
        return new JobProgress(JOB, owner, attempt, step, 20, Duration.ZERO, Optional.ofNullable(preview));
    }

    @Test
    void a_later_step_keeps_the_preview_that_was_not_told_yet_until_a_newer_one_comes() {
        assertThat(progress(1, 6, null).after(progress(1, 5, OLD))).isEqualTo(progress(1, 6, OLD));
        assertThat(progress(1, 6, NEW).after(progress(1, 5, OLD))).isEqualTo(progress(1, 6, NEW));
        assertThat(progress(1, 5, NEW).after(progress(1, 5, OLD))).isEqualTo(progress(1, 5, NEW));
    }

    @Test
    void an_earlier_step_that_comes_later_changes_nothing() {
        assertThat(progress(1, 4, NEW).after(progress(1, 5, OLD))).isEqualTo(progress(1, 5, OLD));
        assertThat(progress(1, 9, NEW).after(progress(2, 1, OLD))).isEqualTo(progress(2, 1, OLD));
    }

    @Test
    void another_attempt_or_owner_begins_without_the_preview_of_the_last() {
        assertThat(progress(2, 1, null).after(progress(1, 5, OLD))).isEqualTo(progress(2, 1, null));
        var other = UUID.randomUUID();
        assertThat(progress(other, 1, 6, null).after(progress(1, 5, OLD))).isEqualTo(progress(other, 1, 6, null));
    }
}
