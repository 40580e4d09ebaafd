package dev.imagen.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Backends;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.MockBackend;
import dev.imagen.backend.Picture;
import dev.imagen.backend.Progress;
import dev.imagen.config.Settings;
import dev.imagen.config.Style;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.storage.FileImageStore;
import dev.imagen.testing.SampleImages;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GenerationPipelineTest {

    private static final Map<String, Style> STYLES = Map.of("ink",
            new Style("drawing of ", ", black ink", "colour", Optional.of(64), Optional.of(48)));

    private static final Settings.Images LIMITS = new Settings.Images(10_000, 64 * 64);

    private static final Attempt NOBODY = new Attempt() {
        @Override
        public void calls(String backend, String model) {
            // Nobody watches.
        }

        @Override
        public void finished(int step, int steps) {
            // Nobody watches.
        }
    };

    @TempDir
    private Path folder;

    private FileImageStore store;

    @BeforeEach
    void makeStore() {
        store = new FileImageStore(folder);
    }

    @Test
    void a_style_goes_around_the_prompt_and_brings_its_size_and_the_job_keeps_its_own_words() throws Exception {
        var image = run(new MockBackend(Duration.ZERO, 0), asked("a fox", Optional.of("rain"), "ink", null, null));
        assertThat(image.prompt()).isEqualTo("drawing of a fox, black ink");
        assertThat(image.negativePrompt()).contains("rain, colour");
        assertThat(image.style()).contains("ink");
        assertThat(image.width()).isEqualTo(64);
        assertThat(image.height()).isEqualTo(48);
    }

    @Test
    void what_the_job_says_goes_before_the_style_and_the_style_before_the_backend() throws Exception {
        var image = run(new MockBackend(Duration.ZERO, 0), asked("a fox", Optional.empty(), "ink", 32, null));
        assertThat(image.width()).isEqualTo(32);
        assertThat(image.height()).isEqualTo(48);
        assertThat(image.steps()).isEqualTo(20);
        assertThat(image.seed()).isBetween(0L, (1L << 32) - 1);
    }

    @Test
    void the_recorded_hash_and_size_are_those_of_the_stored_bytes() throws Exception {
        var image = run(new MockBackend(Duration.ZERO, 0), asked("a fox", Optional.empty(), "ink", null, null));
        var bytes = store.get(image.path()).orElseThrow();
        assertThat(image.byteSize()).isEqualTo(bytes.length);
        assertThat(image.sha256()).isEqualTo(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            nope |      | style "nope" is unknown: use one of ink
                 | 4000 | width is 4000, backend mock takes 16 to 2048
            """)
    void what_the_backend_or_the_styles_do_not_know_fails_for_good_and_by_name(String style, Integer width,
            String message) {
        assertThatThrownBy(
                () -> run(new MockBackend(Duration.ZERO, 0), asked("a fox", Optional.empty(), style, width, null)))
                .isInstanceOfSatisfying(JobFailedException.class, failure -> {
                    assertThat(failure.retryable()).isFalse();
                    assertThat(failure).hasMessage(message);
                });
    }

    @Test
    void a_picture_is_what_its_bytes_say() throws Exception {
        var image = run(sending(SampleImages.jpeg(40, 30)), asked("a fox", Optional.empty(), "ink", null, null));
        assertThat(image.mimeType()).isEqualTo("image/jpeg");
        assertThat(image.width()).isEqualTo(40);
        assertThat(image.height()).isEqualTo(30);
        assertThat(image.path()).endsWith(".jpg");
        assertThat(store.get(image.path())).contains(SampleImages.jpeg(40, 30));
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                Arguments.of("<html>busy</html>".getBytes(StandardCharsets.UTF_8), false,
                        "backend mock sent HTML or XML instead of a picture (PNG, JPEG or WebP)"),
                Arguments.of(new byte[10_001], false,
                        "backend mock sent a file of 10001 bytes, and images.bytes (IMAGES_BYTES) allows 10000"),
                Arguments.of(SampleImages.png(65, 64), false,
                        "backend mock sent a picture of 65×64 pixels, and"
                                + " images.pixels (IMAGES_PIXELS) allows 4096"),
                Arguments.of(SampleImages.pngOf(8, 8, 1_000_000), false,
                        "backend mock sent a PNG whose pixels inflate to more than the 8×8 of its header"),
                Arguments.of(SampleImages.pngOf(8, 8, 100), true,
                        "backend mock sent a damaged PNG: its pixels end early"));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void what_is_no_picture_within_the_limits_fails_the_job_and_stores_nothing(byte[] sent, boolean retryable,
            String message) {
        assertThatThrownBy(() -> run(sending(sent), asked("a fox", Optional.empty(), null, null, null)))
                .isInstanceOfSatisfying(JobFailedException.class, failure -> {
                    assertThat(failure).hasMessage(message);
                    assertThat(failure.retryable()).isEqualTo(retryable);
                });
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void a_discarded_image_is_gone() throws Exception {
        var pipeline = pipeline(new MockBackend(Duration.ZERO, 0));
        var images = pipeline.run(job(asked("a fox", Optional.empty(), "ink", null, null)), NOBODY);
        pipeline.discard(images);
        assertThat(store.get(images.getFirst().path())).isEmpty();
    }

    private static ImageBackend sending(byte[] bytes) {
        return new ImageBackend() {
            @Override
            public BackendInfo info() {
                return new MockBackend(Duration.ZERO, 0).info();
            }

            @Override
            public Picture generate(ImageRequest request, Progress progress) {
                return new Picture(bytes);
            }
        };
    }

    private NewImage run(ImageBackend backend, NewJob asked) throws JobFailedException, InterruptedException {
        return pipeline(backend).run(job(asked), NOBODY).getFirst();
    }

    private GenerationPipeline pipeline(ImageBackend backend) {
        return new GenerationPipeline(new PromptStyles(STYLES), new Backends("mock", List.of(backend)), store, LIMITS);
    }

    private static NewJob asked(String prompt, Optional<String> negative, String style, Integer width, Integer height) {
        return new NewJob(prompt, negative, Optional.empty(), Optional.empty(), Optional.ofNullable(style),
                Optional.ofNullable(width), Optional.ofNullable(height), Optional.empty(), Optional.empty(), 0,
                Optional.empty(), 3);
    }

    private static Job job(NewJob asked) {
        var now = Instant.now();
        return new Job(UUID.randomUUID(), UUID.randomUUID(), asked, Optional.empty(), JobStatus.RUNNING, 1, 0,
                Optional.of(UUID.randomUUID()), Optional.empty(), Optional.empty(), Optional.empty(), 1, now, now,
                Optional.of(now), Optional.empty());
    }
}
