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
import dev.imagen.config.OfferSettings;
import dev.imagen.config.Price;
import dev.imagen.config.Settings;
import dev.imagen.image.ImageBytes;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.JobStatus;
import dev.imagen.job.Metered;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.storage.FileImageStore;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.ImageStores;
import dev.imagen.testing.SampleImages;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backends that stand in for each other, and what a price table makes of calls. */
class FallbackTest {

    private static final BigDecimal NOTHING = BigDecimal.ZERO;

    @TempDir
    private Path folder;

    private ImageStore store;
    private final Painter own = new Painter("own", "oil");
    private final Painter rented = new Painter("rented", "ink");
    private final Painter last = new Painter("last", "chalk");
    private final Recording attempt = new Recording();
    private final Map<String, Price> prices = Map.of("ink",
            new Price(new BigDecimal("0.04"), NOTHING, NOTHING, new BigDecimal("5"), new BigDecimal("40")));

    @BeforeEach
    void makeStore() {
        store = new FileImageStore(folder);
    }

    private static final class Painter implements ImageBackend {

        private final String name;
        private final String model;
        private final List<ImageRequest> requests = new ArrayList<>();
        private Set<Feature> features = EnumSet.allOf(Feature.class);
        private Optional<JobFailedException> failure = Optional.empty();
        private Metered metered = Metered.NOTHING;

        Painter(String name, String model) {
            this.name = name;
            this.model = model;
        }

        @Override
        public BackendInfo info() {
            return new BackendInfo(name, List.of(model), new BackendInfo.Defaults(32, 32, 10),
                    new BackendInfo.Limits(16, 64, 4096, 50), List.of(), features, Map.of());
        }

        @Override
        public Generation generate(ImageRequest request, Progress progress) throws JobFailedException {
            requests.add(request);
            if (failure.isPresent()) {
                throw failure.get();
            }
            return new Generation(List.of(new Picture(SampleImages.png(request.width(), request.height()))), metered);
        }
    }

    /** Takes nothing. */
    private static final class FullStore implements ImageStore {

        @Override
        public String bucket() {
            return "full";
        }

        @Override
        public String place(String key) {
            return key;
        }

        @Override
        public void put(String key, ImageBytes bytes, String mimeType) throws IOException {
            throw new IOException("the disk is full");
        }

        @Override
        public Optional<byte[]> get(String key) {
            return Optional.empty();
        }

        @Override
        public List<String> keys(String prefix) {
            return List.of();
        }

        @Override
        public void delete(String key) {
            // There is nothing.
        }
    }

    private static final class Recording implements Attempt {

        private final List<String> calls = new ArrayList<>();
        private Metered metered = Metered.NOTHING;

        @Override
        public void calls(String backend, String model) {
            calls.add(backend + "/" + model);
        }

        @Override
        public void metered(Metered used) {
            metered = used;
        }

        @Override
        public void finished(int step, int steps) {
            // Nobody watches.
        }
    }

    private List<NewImage> run(NewJob asked) throws Exception {
        var offers = Map.of("own", new OfferSettings(Optional.of("rented"), Map.of()), "rented",
                new OfferSettings(Optional.of("last"), prices));
        var backends = new Backends("own", List.of(own, rented, last), offers);
        var pipeline = new GenerationPipeline(new PromptStyles(Map.of()), backends, new ImageStores(store),
                new Settings.Images(100_000, 4096), (_, _) -> Optional.empty());
        var now = Instant.now();
        return pipeline.run(new Job(UUID.randomUUID(), UUID.randomUUID(), asked, Optional.empty(), JobStatus.RUNNING, 1,
                0, Optional.of(UUID.randomUUID()), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), 1,
                now, now, Optional.of(now), Optional.empty()), attempt);
    }

    private static NewJob asked(Optional<String> model, Optional<Long> seed, int count) {
        return new NewJob("a fox", Optional.empty(), Optional.empty(), model, Optional.empty(), Optional.empty(),
                Optional.empty(), Optional.empty(), seed, 0, Optional.empty(), 3, Map.of(), count, Optional.empty(),
                Optional.empty());
    }

    private List<NewImage> runAny() throws Exception {
        return run(asked(Optional.empty(), Optional.empty(), 1));
    }

    @Test
    void a_backend_that_fails_for_the_moment_is_stood_in_for_and_the_image_says_who_made_it() throws Exception {
        own.failure = Optional.of(JobFailedException.temporary("own is away"));
        var image = runAny().getFirst();
        assertThat(image.backend()).isEqualTo("rented");
        assertThat(image.model()).isEqualTo("ink");
        assertThat(attempt.calls).containsExactly("own/oil", "rented/ink");
    }

    @Test
    void a_refusal_is_final() {
        own.failure = Optional.of(JobFailedException.permanent("moderation"));
        assertThatThrownBy(this::runAny).hasMessage("moderation");
        assertThat(rented.requests).isEmpty();
    }

    @Test
    void the_chain_goes_on_and_its_failure_is_the_first_one_with_all_that_was_said() {
        own.failure = Optional.of(JobFailedException.temporary("own is busy", Duration.ofMinutes(2)));
        rented.failure = Optional.of(JobFailedException.permanent("rented has no money"));
        last.failure = Optional.of(JobFailedException.temporary("last is away"));
        assertThatThrownBy(this::runAny).isInstanceOfSatisfying(JobFailedException.class, e -> {
            assertThat(e).hasMessage("own is busy; its fallback failed too: rented has no money;"
                    + " its fallback failed too: last is away");
            assertThat(e.retryable()).isTrue();
            assertThat(e.retryAfter()).contains(Duration.ofMinutes(2));
        });
    }

    @Test
    void who_cannot_do_what_the_job_asks_for_does_not_stand_in() {
        own.failure = Optional.of(JobFailedException.temporary("own is away"));
        rented.features = EnumSet.noneOf(Feature.class);
        assertThatThrownBy(() -> run(asked(Optional.empty(), Optional.of(7L), 1))).hasMessage("own is away");
        assertThatThrownBy(() -> run(asked(Optional.of("oil"), Optional.empty(), 1))).hasMessage("own is away");
        assertThat(rented.requests).isEmpty();
    }

    @Test
    void a_store_that_fails_is_no_reason_to_pay_another_backend() {
        store = new FullStore();
        assertThatThrownBy(this::runAny).hasMessageContaining("the disk is full");
        assertThat(rented.requests).isEmpty();
    }

    @Test
    void a_price_table_says_what_pictures_and_tokens_cost_and_all_calls_count() throws Exception {
        own.failure = Optional.of(JobFailedException.temporary("own is away"));
        rented.metered = new Metered(Optional.of(1000L), Optional.of(2000L), Optional.empty());
        run(asked(Optional.empty(), Optional.empty(), 2));
        // Twice 0.04, 1000 of a million at 5 and 2000 of a million at 40.
        assertThat(attempt.metered.costUsd()).contains(new BigDecimal("0.250000"));
    }

    @Test
    void what_the_provider_says_goes_before_the_price_table() throws Exception {
        own.failure = Optional.of(JobFailedException.temporary("own is away"));
        rented.metered = new Metered(Optional.empty(), Optional.empty(), Optional.of(new BigDecimal("0.011")));
        runAny();
        assertThat(attempt.metered.costUsd()).contains(new BigDecimal("0.011"));
    }

    @Test
    void without_a_price_nobody_knows_the_cost() throws Exception {
        runAny();
        assertThat(attempt.metered.costUsd()).isEmpty();
    }
}
