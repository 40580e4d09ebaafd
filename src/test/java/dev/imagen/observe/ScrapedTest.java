package dev.imagen.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ScrapedTest {

    private static final Duration LONG = Duration.ofMinutes(1);

    @Test
    void what_was_read_is_shown() {
        var scraped = new Scraped<>(() -> "read", LONG, "unknown");
        assertThat(scraped.now()).isEqualTo("read");
        assertThat(scraped.answered()).isTrue();
    }

    @Test
    void a_database_that_refuses_leaves_what_was_known() {
        var scraped = new Scraped<String>(() -> {
            throw new IllegalStateException("away");
        }, LONG, "unknown");
        assertThat(scraped.now()).isEqualTo("unknown");
        assertThat(scraped.answered()).isFalse();
    }

    @Test
    void nobody_waits_for_a_database_that_does_not_answer() {
        var answer = new CountDownLatch(1);
        var scraped = new Scraped<>(() -> {
            try {
                answer.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return "late";
        }, Duration.ofMillis(1), "unknown");
        assertThat(scraped.now()).isEqualTo("unknown");
        assertThat(scraped.answered()).isFalse();
        answer.countDown();
    }
}
