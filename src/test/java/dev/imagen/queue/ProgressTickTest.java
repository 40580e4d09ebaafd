package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.queue.JobQueue.ProgressTick;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressTickTest {

    @ParameterizedTest(name = "{0} of {1} steps took {2} s, {3} s ago: {4} s")
    @CsvSource({"5, 20, 10, 0, 30", "5, 20, 10, 1, 29", "5, 20, 10, 2, 28", "5, 20, 10, 8, 42", "19, 20, 19, 0, 1",
            "19, 20, 19, 5, 0", "20, 20, 20, 5, 0", "0, 20, 0, 5, 0", "1, 1, 4, 0, 0", "1, 10000, 3600, 0, 35996400"})
    void the_estimate_falls_while_steps_come_as_before_and_rises_when_one_takes_longer(int step, int steps, int took,
            int age, int eta) {
        var tick = new ProgressTick(null, step, steps, Duration.ofSeconds(took), Duration.ofSeconds(age),
                Optional.empty());
        assertThat(tick.eta()).isEqualTo(Duration.ofSeconds(eta));
    }
}
