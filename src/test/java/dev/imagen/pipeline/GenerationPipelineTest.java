package dev.imagen.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Backends;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.MockBackend;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Picture;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import dev.imagen.config.Settings;
import dev.imagen.config.Style;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.JobStatus;
import dev.imagen.job.Metered;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.storage.FileImageStore;
import dev.imagen.storage.ImageStores;
import dev.imagen.testing.SampleImages;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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

    private static final Attempt NOBODY = new UnwatchedAttempt();

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
        assertThat(image.steps()).contains(20);
        assertThat(image.seed().orElseThrow()).isBetween(0L, (1L << 32) - 1);
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
                 | 4000 | width must be from 16 to 2048 for backend mock
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

    @Test
    void all_pictures_of_a_request_are_stored_in_their_order() throws Exception {
        var images = pipeline(sending(SampleImages.jpeg(40, 30), SampleImages.jpeg(20, 30)))
                .run(job(NewJob.of("a fox")), NOBODY);
        assertThat(images).extracting(NewImage::width).containsExactly(40, 20);
        assertThat(images.getLast().path()).endsWith("-1.1.jpg");
        assertThat(store.get(images.getLast().path())).contains(SampleImages.jpeg(20, 30));
    }

    @Test
    void when_one_of_several_pictures_is_none_the_others_are_not_kept() throws Exception {
        assertThatThrownBy(
                () -> pipeline(sending(SampleImages.jpeg(40, 30), new byte[]{1})).run(job(NewJob.of("a fox")), NOBODY))
                .isInstanceOf(JobFailedException.class);
        try (var files = Files.walk(folder)) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            quality | high  |
            quality | hd    | params.quality must be one of low, high
            quality | 1     | params.quality must be one of low, high
            cfg     | 3     | params.cfg is no parameter of backend mock: use one of quality
            """)
    void params_are_held_to_what_the_backend_declares(String name, String value, String message) throws Exception {
        var backend = sending(SampleImages.jpeg(40, 30));
        var asked = new NewJob("a fox", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 0, Optional.empty(), 3,
                Map.of(name, value.matches("\\d+") ? Integer.valueOf(value) : value), 1, Optional.empty(),
                Optional.empty());
        if (message == null) {
            assertThat(run(backend, asked).width()).isEqualTo(40);
        } else {
            assertThatThrownBy(() -> run(backend, asked)).hasMessage(message)
                    .isInstanceOfSatisfying(JobFailedException.class, e -> assertThat(e.retryable()).isFalse());
        }
    }

    /** A backend that knows no seed, no steps and no negative prompt, makes two sizes, and no picture of cats. */
    private static ImageBackend plain() {
        var mock = new MockBackend(Duration.ZERO, 0).info();
        return new ImageBackend() {
            @Override
            public BackendInfo info() {
                return new BackendInfo(mock.name(), mock.models(), new BackendInfo.Defaults(32, 32, 0),
                        new BackendInfo.Limits(32, 48, 48 * 48, 0), List.of(), Set.of(),
                        Map.of("mock-landscape", Sizes.of("32x32", "48x32")));
            }

            @Override
            public Optional<Refusal> refusal(ImageRequest request) {
                return request.prompt().contains("cat")
                        ? Optional.of(new Refusal("prompt", "must not name a cat"))
                        : Optional.empty();
            }

            @Override
            public Generation generate(ImageRequest request, Progress progress) {
                assertThat(request.negativePrompt()).isEmpty();
                return Generation.of(SampleImages.png(request.width(), request.height()));
            }
        };
    }

    @Test
    void a_style_yields_to_what_the_backend_can_do_and_a_job_does_not() throws Exception {
        var image = run(plain(), asked("a fox", Optional.empty(), "ink", null, null));
        assertThat(image.width()).isEqualTo(48);
        assertThat(image.negativePrompt()).isEmpty();
        assertThat(image.seed()).isEmpty();
        assertThat(image.steps()).isEmpty();
        assertThatThrownBy(() -> run(plain(), asked("a fox", Optional.of("rain"), null, null, null)))
                .hasMessage("negative_prompt means nothing to backend mock: leave it out");
        assertThatThrownBy(() -> run(plain(), asked("a fox", Optional.empty(), null, 40, null))).hasMessage(
                "width and height are 40x32, must be one of 32x32, 48x32 for model mock-landscape of backend mock");
        assertThatThrownBy(() -> run(plain(), asked("a cat", Optional.empty(), null, null, null)))
                .hasMessage("prompt must not name a cat");
    }

    /** A backend of two models: one knows it all, the other nothing, and chooses the size. */
    private static ImageBackend twoModels() {
        return new ImageBackend() {
            @Override
            public BackendInfo info() {
                return new BackendInfo("mock", List.of("all", "nothing"), new BackendInfo.Defaults(32, 32, 20),
                        new BackendInfo.Limits(32, 64, 64 * 64, 50), List.of(),
                        Set.of(Feature.SEED, Feature.STEPS, Feature.NEGATIVE_PROMPT),
                        Map.of("nothing", new Sizes.Own()), Map.of("nothing", new BackendInfo.Abilities(Set.of(), 0, 0),
                                "all", new BackendInfo.Abilities(Set.of(Feature.values()), 4, 8)));
            }

            @Override
            public Generation generate(ImageRequest request, Progress progress) {
                return Generation.of(SampleImages.png(40, 30));
            }
        };
    }

    private static NewJob ofModel(String model, Optional<String> negative, Optional<Integer> height,
            Optional<Integer> steps, Optional<Long> seed) {
        return new NewJob("a fox", negative, Optional.empty(), Optional.of(model), Optional.of("ink"), Optional.empty(),
                height, steps, seed, 0, Optional.empty(), 3);
    }

    @Test
    void a_model_is_asked_for_no_more_than_it_can_do() throws Exception {
        var image = run(twoModels(),
                ofModel("nothing", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()));
        assertThat(image.seed()).isEmpty();
        assertThat(image.steps()).isEmpty();
        assertThat(image.negativePrompt()).isEmpty();
        var other = run(twoModels(),
                ofModel("all", Optional.of("rain"), Optional.of(48), Optional.empty(), Optional.of(7L)));
        assertThat(other.seed()).contains(7L);
        assertThat(other.steps()).contains(4);
        assertThat(other.negativePrompt()).hasValueSatisfying(words -> assertThat(words).contains("rain"));
    }

    @Test
    void what_one_model_alone_does_not_know_is_refused_with_its_name() {
        var resolver = new RequestResolver(new PromptStyles(STYLES), new Backends("mock", List.of(twoModels())));
        assertThat(resolver
                .refusals(ofModel("nothing", Optional.of("rain"), Optional.of(48), Optional.of(3), Optional.of(7L))))
                .map(Refusal::toString)
                .containsExactly("negative_prompt means nothing to model nothing of backend mock: leave it out",
                        "steps means nothing to model nothing of backend mock: leave it out",
                        "seed means nothing to model nothing of backend mock: leave it out",
                        "height means nothing to model nothing of backend mock: leave it out");
        assertThat(
                resolver.refusals(ofModel("all", Optional.empty(), Optional.empty(), Optional.of(9), Optional.empty())))
                .map(Refusal::toString).containsExactly("steps must be from 1 to 8 for model all of backend mock");
    }

    /** A backend whose server has not yet said which models it has but one. */
    private static ImageBackend notYetAsked() {
        return new ImageBackend() {
            @Override
            public BackendInfo info() {
                return new BackendInfo("mock", List.of("known"), new BackendInfo.Defaults(32, 32, 0),
                        new BackendInfo.Limits(16, 64, 64 * 64, 0), List.of(), Set.of(), Map.of(),
                        Map.of("known", new BackendInfo.Abilities(Set.of(), 0, 0, Optional.of(new Size(48, 40)))),
                        true);
            }

            @Override
            public Generation generate(ImageRequest request, Progress progress) {
                return Generation.of(SampleImages.png(request.width(), request.height()));
            }
        };
    }

    @Test
    void a_model_has_a_size_of_its_own_and_one_that_nobody_knows_yet_is_taken() throws Exception {
        var known = run(notYetAsked(), asked("a fox", Optional.empty(), null, null, null));
        assertThat(known.width()).isEqualTo(48);
        assertThat(known.height()).isEqualTo(40);
        assertThat(run(notYetAsked(), asked("a fox", Optional.empty(), null, 64, null)).height()).isEqualTo(40);
        var other = new NewJob("a fox", Optional.empty(), Optional.empty(), Optional.of("other"), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 0, Optional.empty(), 3);
        assertThat(run(notYetAsked(), other).width()).isEqualTo(32);
    }

    private static ImageBackend sending(byte[]... pictures) {
        return new ImageBackend() {
            @Override
            public BackendInfo info() {
                var mock = new MockBackend(Duration.ZERO, 0).info();
                return new BackendInfo(mock.name(), mock.models(), mock.defaults(), mock.limits(),
                        List.of(Parameter.choice("quality", "How good.", "low", "high")));
            }

            @Override
            public Generation generate(ImageRequest request, Progress progress) {
                return new Generation(Stream.of(pictures).map(Picture::new).toList(), Metered.NOTHING);
            }
        };
    }

    private NewImage run(ImageBackend backend, NewJob asked) throws JobFailedException, InterruptedException {
        return pipeline(backend).run(job(asked), NOBODY).getFirst();
    }

    private GenerationPipeline pipeline(ImageBackend backend) {
        return new GenerationPipeline(new PromptStyles(STYLES), new Backends("mock", List.of(backend)),
                new ImageStores(store), LIMITS, (_, _) -> Optional.empty());
    }

    private static NewJob asked(String prompt, Optional<String> negative, String style, Integer width, Integer height) {
        return new NewJob(prompt, negative, Optional.empty(), Optional.empty(), Optional.ofNullable(style),
                Optional.ofNullable(width), Optional.ofNullable(height), Optional.empty(), Optional.empty(), 0,
                Optional.empty(), 3);
    }

    private static Job job(NewJob asked) {
        var now = Instant.now();
        return new Job(UUID.randomUUID(), UUID.randomUUID(), asked, Optional.empty(), JobStatus.RUNNING, 1, 0,
                Optional.of(UUID.randomUUID()), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), 1, now,
                now, Optional.of(now), Optional.empty());
    }
}
