package dev.imagen.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Backends;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Picture;
import dev.imagen.backend.Progress;
import dev.imagen.config.Settings;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.JobStatus;
import dev.imagen.job.Metered;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.job.StoredImage;
import dev.imagen.storage.FileImageStore;
import dev.imagen.storage.ImageStores;
import dev.imagen.testing.PngFile;
import dev.imagen.testing.SampleImages;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs of several pictures, and jobs that begin with one. */
class SeveralPicturesTest {

    private static final UUID OWNER = UUID.randomUUID();
    private static final UUID INPUT = UUID.randomUUID();

    @TempDir
    private Path folder;

    private FileImageStore store;
    private final Recording attempt = new Recording();
    private final Painter painter = new Painter();
    private Optional<StoredImage> input = Optional.empty();

    @BeforeEach
    void makeStore() {
        store = new FileImageStore(folder);
    }

    /** Paints as many pictures as it is asked for, or as it can. */
    private static final class Painter implements ImageBackend {

        private final List<ImageRequest> requests = new ArrayList<>();
        private Set<Feature> features = EnumSet.allOf(Feature.class);
        private int atOnce = 1;
        private int paint = 100;

        @Override
        public BackendInfo info() {
            return new BackendInfo("mock", List.of("oil"), new BackendInfo.Defaults(32, 32, 10),
                    new BackendInfo.Limits(16, 64, 4096, 50), List.of(), features, Map.of());
        }

        @Override
        public int picturesPerCall(String model) {
            return atOnce;
        }

        @Override
        public Generation generate(ImageRequest request, Progress progress) {
            requests.add(request);
            progress.finished(5, 10);
            progress.finished(10, 10);
            int pictures = Math.min(paint, request.count());
            paint -= pictures;
            return new Generation(
                    IntStream.range(0, pictures)
                            .mapToObj(_ -> new Picture(SampleImages.png(request.width(), request.height()))).toList(),
                    new Metered(Optional.of(7L), Optional.empty(), Optional.empty()));
        }
    }

    private static final class Recording implements Attempt {

        private final List<String> steps = new ArrayList<>();
        private Metered metered = Metered.NOTHING;
        private boolean called;

        @Override
        public void calls(String backend, String model) {
            called = true;
        }

        @Override
        public void metered(Metered used) {
            metered = used;
        }

        @Override
        public void finished(int step, int all) {
            steps.add(step + "/" + all);
        }
    }

    private List<NewImage> run(NewJob asked) throws Exception {
        var pipeline = new GenerationPipeline(new PromptStyles(Map.of()), new Backends("mock", List.of(painter)),
                new ImageStores(store), new Settings.Images(100_000, 4096),
                (owner, id) -> owner.equals(OWNER) && id.equals(INPUT) ? input : Optional.empty());
        var now = Instant.now();
        return pipeline.run(new Job(UUID.randomUUID(), OWNER, asked, Optional.empty(), JobStatus.RUNNING, 1, 0,
                Optional.of(UUID.randomUUID()), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), 1, now,
                now, Optional.of(now), Optional.empty()), attempt);
    }

    private static NewJob asked(int count, Optional<UUID> input, Optional<Double> strength) {
        return new NewJob("a fox", Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.of((1L << 53) - 2), 0, Optional.empty(),
                3, Map.of(), count, input, strength);
    }

    @Test
    void one_call_follows_the_other_where_a_backend_makes_one_picture_at_a_time() throws Exception {
        var images = run(asked(3, Optional.empty(), Optional.empty()));
        assertThat(images).hasSize(3).extracting(NewImage::path).doesNotHaveDuplicates();
        assertThat(painter.requests).extracting(ImageRequest::count).containsExactly(1, 1, 1);
        assertThat(attempt.steps).containsExactly("5/30", "10/30", "15/30", "20/30", "25/30", "30/30");
        assertThat(attempt.metered.inputTokens()).contains(21L);
    }

    @Test
    void each_picture_has_the_next_seed_and_after_the_largest_comes_0() throws Exception {
        assertThat(run(asked(3, Optional.empty(), Optional.empty()))).extracting(NewImage::seed)
                .containsExactly(Optional.of((1L << 53) - 2), Optional.of((1L << 53) - 1), Optional.of(0L));
        assertThat(painter.requests).extracting(ImageRequest::seed).containsExactly((1L << 53) - 2, (1L << 53) - 1, 0L);
    }

    @Test
    void a_backend_that_makes_several_at_once_is_asked_for_as_many() throws Exception {
        painter.atOnce = 4;
        assertThat(run(asked(6, Optional.empty(), Optional.empty()))).hasSize(6);
        assertThat(painter.requests).extracting(ImageRequest::count).containsExactly(4, 2);
        assertThat(attempt.steps).containsExactly("20/60", "40/60", "50/60", "60/60");
    }

    @Test
    void fewer_pictures_than_asked_for_are_a_failure_and_none_of_them_is_kept() throws Exception {
        painter.paint = 2;
        assertThatThrownBy(() -> run(asked(3, Optional.empty(), Optional.empty())))
                .hasMessage("backend mock made 2 of 3 pictures");
        try (var files = Files.walk(folder)) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
    }

    @Test
    void a_backend_gets_the_bytes_of_the_picture_to_begin_with() throws Exception {
        byte[] picture = SampleImages.jpeg(40, 20);
        keep(picture);
        run(asked(2, Optional.of(INPUT), Optional.of(0.25)));
        assertThat(painter.requests).hasSize(2).allSatisfy(request -> {
            assertThat(request.input().orElseThrow().bytes()).isEqualTo(picture);
            assertThat(request.input().orElseThrow().mimeType()).isEqualTo("image/jpeg");
            assertThat(request.input().orElseThrow().strength()).isEqualTo(0.25);
        });
    }

    @Test
    void a_picture_tells_what_it_began_with_and_how_much_of_that_changed() throws Exception {
        keep(SampleImages.jpeg(40, 20));
        assertThat(told(Optional.of(0.25))).contains("\"input_image_id\":\"" + INPUT + "\",\"strength\":0.25,");
        assertThat(told(Optional.empty())).contains("\"strength\":0.75,");
        painter.features = EnumSet.of(Feature.SEED, Feature.INPUT_IMAGE);
        assertThat(told(Optional.empty())).contains(INPUT.toString()).doesNotContain("strength");
    }

    private String told(Optional<Double> strength) throws Exception {
        var image = run(asked(1, Optional.of(INPUT), strength)).getFirst();
        return PngFile.read(store.get(image.path()).orElseThrow()).texts().getLast().value();
    }

    private void keep(byte[] picture) throws Exception {
        store.put("o/1.jpg", picture, "image/jpeg");
        input = Optional.of(new StoredImage(INPUT, store.bucket(), "o/1.jpg"));
    }

    private void assertRefused(String message) {
        assertThatThrownBy(() -> run(asked(1, Optional.of(INPUT), Optional.empty())))
                .isInstanceOfSatisfying(JobFailedException.class, failure -> {
                    assertThat(failure).hasMessage(message);
                    assertThat(failure.retryable()).isFalse();
                });
        assertThat(attempt.called).isFalse();
    }

    @Test
    void an_image_of_nobody_or_somebody_else_is_named() {
        assertRefused("input_image_id " + INPUT + " is no image of this owner, or was deleted");
    }

    @Test
    void an_image_without_its_file_is_named() {
        input = Optional.of(new StoredImage(INPUT, store.bucket(), "o/gone.png"));
        assertRefused("input_image_id " + INPUT + " has lost its file");
    }

    @Test
    void an_image_in_a_store_that_is_not_set_up_here_is_named() {
        input = Optional.of(new StoredImage(INPUT, "elsewhere", "o/1.png"));
        assertRefused("input_image_id " + INPUT + " is in the store elsewhere, which this worker has no settings for");
    }

    @Test
    void a_path_that_no_store_has_is_not_looked_at() {
        input = Optional.of(new StoredImage(INPUT, store.bucket(), "../../etc/passwd"));
        assertRefused("input_image_id " + INPUT + " is recorded under a path that no store has");
    }

    @Test
    void an_image_that_is_too_large_by_now_is_not_sent() throws Exception {
        keep(SampleImages.png(65, 64));
        assertRefused("input_image_id " + INPUT
                + " is a picture of 65×64 pixels, and images.pixels (IMAGES_PIXELS) allows 4096");
    }

    @Test
    void a_backend_that_begins_with_nothing_refuses_a_picture_and_a_strength_by_name() {
        painter.features = EnumSet.noneOf(Feature.class);
        assertThatThrownBy(() -> run(asked(1, Optional.of(INPUT), Optional.empty())))
                .hasMessage("seed means nothing to backend mock: leave it out");
        painter.features = EnumSet.of(Feature.SEED);
        assertThatThrownBy(() -> run(asked(1, Optional.of(INPUT), Optional.empty())))
                .hasMessage("input_image_id means nothing to backend mock: leave it out");
        painter.features = EnumSet.of(Feature.SEED, Feature.INPUT_IMAGE);
        assertThatThrownBy(() -> run(asked(1, Optional.of(INPUT), Optional.of(0.5))))
                .hasMessage("strength means nothing to backend mock: leave it out");
    }
}
