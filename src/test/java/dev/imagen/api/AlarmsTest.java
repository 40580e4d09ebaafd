package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AlarmsTest {

    private static final int RINGS = 2;

    @Test
    void an_alarm_that_fails_keeps_no_other_from_ringing() throws InterruptedException {
        var failed = new CountDownLatch(RINGS);
        var rang = new CountDownLatch(RINGS);
        try (var _ = Alarms.after(Duration.ZERO, () -> {
            failed.countDown();
            throw new IllegalStateException("on purpose");
        }); var _ = Alarms.after(Duration.ZERO, rang::countDown)) {
            assertThat(failed.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(rang.await(20, TimeUnit.SECONDS)).isTrue();
        }
    }
}
