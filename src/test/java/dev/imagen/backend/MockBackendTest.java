package dev.imagen.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageType;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.PngFile;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MockBackendTest {

    private static final Progress UNHEARD = (_, _) -> {};

    private final MockBackend backend = new MockBackend(Duration.ZERO, 0);

    @Test
    void the_same_request_gives_the_same_bytes() throws Exception {
        var other = new MockBackend(Duration.ofNanos(1), 0);

        assertThat(bytes(request("a lake", 256, 192, 20, 7)))
                .isEqualTo(other.generate(request("a lake", 256, 192, 20, 7), UNHEARD).pictures().getFirst().bytes());
    }

    @Test
    void the_negative_prompt_and_the_model_change_nothing() throws Exception {
        var other = new ImageRequest("a lake", Optional.of("clouds"), "another", 64, 64, 20, 7, Map.of());

        assertThat(bytes(other)).isEqualTo(bytes(request("a lake", 64, 64, 20, 7)));
    }

    @Test
    void another_prompt_seed_size_or_number_of_steps_gives_another_picture() throws Exception {
        var pictures = new HashSet<Integer>();
        var requests = List.of(request("a lake", 256, 192, 20, 7), request("a lane", 256, 192, 20, 7),
                request("a lake", 256, 192, 20, 8), request("a lake", 192, 256, 20, 7),
                request("a lake", 256, 192, 21, 7), request("a lake", 256, 192, 1, 7));
        for (var request : requests) {
            pictures.add(Arrays.hashCode(PngFile.pixels(bytes(request))));
        }

        assertThat(pictures).hasSameSizeAs(requests);
    }

    @ParameterizedTest
    @CsvSource({"16,16,20", "16,2048,20", "2048,16,20", "17,33,1", "512,512,20", "300,200,150", "2048,2048,1"})
    void every_size_within_the_limits_can_be_decoded(int width, int height, int steps) throws Exception {
        var picture = bytes(request("a lake", width, height, steps, 3));

        assertThat(ImageFile.read(picture)).isEqualTo(new ImageFile(ImageType.PNG, width, height));
        var image = PngFile.decode(picture);
        assertThat(List.of(image.getWidth(), image.getHeight())).containsExactly(width, height);
    }

    @Test
    void any_seed_gives_a_picture_of_many_colours() throws Exception {
        for (long seed : new long[]{0, 1, 2, 3, 4, 5, 6, 7, (1L << 53) - 1}) {
            var pixels = PngFile.pixels(bytes(request("", 128, 128, 20, seed)));
            assertThat(IntStream.of(pixels).distinct().count()).as("seed " + seed).isGreaterThan(60);
        }
    }

    @Test
    void a_prompt_may_hold_anything() throws Exception {
        for (var prompt : List.of("", " ", "🌄 بحيرة", "\uD800", "\0", "word ".repeat(2000), "x".repeat(5000))) {
            assertThat(PngFile.decode(bytes(request(prompt, 160, 120, 5, 1)))).isNotNull();
        }
    }

    @Test
    void the_words_of_the_prompt_set_the_time_of_day() throws Exception {
        assertThat(brightness("a harbour at night")).isLessThan(100);
        assertThat(brightness("a harbour in the fog")).isGreaterThan(150);
    }

    private double brightness(String prompt) throws Exception {
        return IntStream.of(PngFile.pixels(bytes(request(prompt, 64, 64, 20, 1)))).map(pixel -> pixel >> 8 & 0xFF)
                .average().orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 20, 150})
    void progress_hears_each_step_once(int steps) throws Exception {
        var heard = new ArrayList<Integer>();
        var of = new HashSet<Integer>();

        backend.generate(request("a lake", 16, 16, steps, 1), (step, all) -> {
            heard.add(step);
            of.add(all);
        });

        assertThat(heard).isEqualTo(IntStream.rangeClosed(1, steps).boxed().toList());
        assertThat(of).containsExactly(steps);
    }

    /** Looks at every preview, or asks for none. */
    private static final class Audience implements Progress {

        private final List<Integer> widths = new ArrayList<>();
        private final List<Integer> shownAt = new ArrayList<>();
        private final int wantedFrom;
        private int step;

        Audience(int wantedFrom) {
            this.wantedFrom = wantedFrom;
        }

        @Override
        public void finished(int step, int steps) {
            this.step = step;
        }

        @Override
        public boolean previewWanted() {
            return step >= wantedFrom;
        }

        @Override
        public void preview(byte[] picture) {
            shownAt.add(step);
            widths.add(PngFile.decode(picture).getWidth());
        }
    }

    @ParameterizedTest
    @CsvSource({"512, 256, 256", "1000, 20, 250", "100, 64, 100", "16, 2048, 2"})
    void while_it_is_slow_it_shows_a_small_picture_after_each_quarter(int width, int height, int small)
            throws Exception {
        var audience = new Audience(0);
        new MockBackend(Duration.ofNanos(1), 0).generate(request("a lake", width, height, 20, 1), audience);
        assertThat(audience.shownAt).containsExactly(5, 10, 15);
        assertThat(audience.widths).containsOnly(small);
    }

    @Test
    void who_begins_to_watch_later_sees_a_preview_at_the_next_step() throws Exception {
        var audience = new Audience(7);
        new MockBackend(Duration.ofNanos(1), 0).generate(request("a lake", 64, 64, 20, 1), audience);
        assertThat(audience.shownAt).containsExactly(7, 10, 15);
    }

    @Test
    void as_quick_as_it_can_be_it_shows_none() throws Exception {
        var audience = new Audience(0);
        backend.generate(request("a lake", 64, 64, 20, 1), audience);
        assertThat(audience.shownAt).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 20})
    void an_interrupt_stops_it_after_the_step(int last) {
        var heard = new ArrayList<Integer>();

        assertThatThrownBy(() -> backend.generate(request("a lake", 16, 16, 20, 1), (step, steps) -> {
            heard.add(step);
            if (step == last) {
                Thread.currentThread().interrupt();
            }
        })).isInstanceOf(InterruptedException.class);
        assertThat(heard).hasSize(last);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void an_interrupt_ends_its_delay() throws Exception {
        var slow = new MockBackend(Duration.ofHours(1), 0);
        var thrown = new AtomicReference<Throwable>();
        var thread = Thread.startVirtualThread(
                () -> thrown.set(catchThrowable(() -> slow.generate(request("a lake", 16, 16, 20, 1), UNHEARD))));

        thread.interrupt();
        thread.join();

        assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    }

    @Test
    void at_rate_1_every_attempt_fails_after_its_last_step() {
        var failing = new MockBackend(Duration.ZERO, 1.0);
        for (int i = 0; i < 50; i++) {
            var heard = new ArrayList<Integer>();
            assertThatThrownBy(() -> failing.generate(request("a lake", 16, 16, 4, 1), (step, _) -> heard.add(step)))
                    .isInstanceOfSatisfying(JobFailedException.class, e -> assertThat(e.retryable()).isTrue())
                    .hasMessage("mock backend failed on purpose (mock.failures=1.0)");
            assertThat(heard).containsExactly(1, 2, 3, 4);
        }
    }

    @Test
    void at_rate_0_no_attempt_fails() throws Exception {
        for (int i = 0; i < 200; i++) {
            assertThat(bytes(request("a lake", 16, 16, 1, i))).isNotEmpty();
        }
    }

    @Test
    void in_between_some_attempts_of_one_request_fail() {
        var failing = new MockBackend(Duration.ZERO, 0.5);

        var failed = IntStream.range(0, 200)
                .mapToObj(_ -> catchThrowable(() -> failing.generate(request("a lake", 16, 16, 1, 1), UNHEARD)) != null)
                .toList();

        assertThat(failed).contains(true, false);
    }

    @Test
    void it_refuses_senseless_settings() {
        assertThatThrownBy(() -> new MockBackend(Duration.ofMillis(-1), 0)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("mock.delay");
        for (double failures : new double[]{-0.1, 1.1, Double.NaN}) {
            assertThatThrownBy(() -> new MockBackend(Duration.ZERO, failures))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("mock.failures");
        }
    }

    private byte[] bytes(ImageRequest request) throws Exception {
        return backend.generate(request, UNHEARD).pictures().getFirst().bytes();
    }

    private static ImageRequest request(String prompt, int width, int height, int steps, long seed) {
        return new ImageRequest(prompt, Optional.empty(), "mock-landscape", width, height, steps, seed, Map.of());
    }
}
