package dev.imagen.bench;

import com.sun.management.ThreadMXBean;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Backends;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.MockBackend;
import dev.imagen.backend.Progress;
import dev.imagen.config.Settings;
import dev.imagen.image.ImageLimits;
import dev.imagen.image.PngChunks;
import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import dev.imagen.pipeline.Attempt;
import dev.imagen.pipeline.UnwatchedAttempt;
import dev.imagen.pipeline.GenerationPipeline;
import dev.imagen.pipeline.Pipeline;
import dev.imagen.pipeline.PromptStyles;
import dev.imagen.storage.FileImageStore;
import dev.imagen.storage.ImageStores;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Where the time of a picture goes, without queue and database: {@code mvn -q test-compile exec:exec@pictures}. The
 * mock backend at 512×512 without delay, another picture each round, images on disk; one picture at a time.
 *
 * <ul>
 * <li>paint: the backend, with its encoding
 * <li>check, texts, hash: the stages in memory, each alone
 * <li>put: the store, with its flushes to the disk
 * <li>keep: all but painting, as the pipeline does it with a picture that is there at once
 * </ul>
 */
final class PictureBenchmark {

    private static final int WARM_UP = 1500;
    private static final int ROUNDS = 300;
    private static final Settings.Images LIMITS = new Settings.Images(10_000_000, 4_000_000);

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Map<String, long[]> nanos = new LinkedHashMap<>();
    private final MockBackend mock = new MockBackend(Duration.ZERO, 0);
    private final ImageLimits limits = new ImageLimits(LIMITS);
    private final FileImageStore store;
    private final Pipeline pipeline;
    private byte[] painted;
    private long bytes;
    private long allocated;

    private PictureBenchmark(FileImageStore store) {
        this.store = store;
        this.pipeline = new GenerationPipeline(new PromptStyles(Map.of()), new Backends("mock", List.of(instant())),
                new ImageStores(store), LIMITS, (_, _) -> Optional.empty());
    }

    public static void main(String[] args) throws Exception {
        var folder = Files.createTempDirectory("imagen-bench");
        try {
            new PictureBenchmark(new FileImageStore(folder)).measure();
        } finally {
            LatencyBenchmark.delete(folder);
        }
    }

    private void measure() throws Exception {
        for (int i = -WARM_UP; i < ROUNDS; i++) {
            round(i);
        }
        System.out.printf("%-22s %8s %8s %8s %8s%n", "ms", "p50", "p95", "p99", "max");
        nanos.forEach((stage, times) -> Percentiles.ofNanos(times).print(stage));
        System.out.printf("%d bytes a picture, and %d of the heap to keep one%n", bytes / ROUNDS, allocated / ROUNDS);
    }

    private void round(int i) throws Exception {
        var request = new ImageRequest("a lake in the mountains at dawn", Optional.empty(), "mock-landscape", 512, 512,
                20, i + WARM_UP, Map.of());
        painted = timed("paint", i, () -> mock.generate(request, (_, _) -> {}).pictures().getFirst().bytes());
        timed("check", i, () -> limits.check(painted));
        var text = "a lake in the mountains at dawn, with what is written of a job around it ".repeat(4);
        var whole = timed("texts", i, () -> PngChunks.insertBeforeImageData(painted,
                List.of(PngChunks.text("parameters", text), PngChunks.text("imagen", text))));
        timed("hash", i, whole::sha256);
        var key = "bench/" + (i + WARM_UP) % 100 + ".png";
        timed("put", i, () -> {
            store.put(key, whole, "image/png");
            return null;
        });
        var job = job();
        long before = THREADS.getCurrentThreadAllocatedBytes();
        var image = timed("keep", i, () -> pipeline.run(job, UNWATCHED)).getFirst();
        allocated += i < 0 ? 0 : THREADS.getCurrentThreadAllocatedBytes() - before;
        bytes += i < 0 ? 0 : image.byteSize();
        pipeline.discard(List.of(image));
        store.delete(key);
    }

    /** A part of the way. */
    @FunctionalInterface
    private interface Stage<T> {
        T run() throws Exception;
    }

    private <T> T timed(String name, int round, Stage<T> stage) throws Exception {
        long start = System.nanoTime();
        var result = stage.run();
        long took = System.nanoTime() - start;
        if (round >= 0) {
            nanos.computeIfAbsent(name, _ -> new long[ROUNDS])[round] = took;
        }
        return result;
    }

    /** Has the picture that was painted last. */
    private ImageBackend instant() {
        return new ImageBackend() {
            @Override
            public BackendInfo info() {
                return mock.info();
            }

            @Override
            public Generation generate(ImageRequest request, Progress progress) {
                return Generation.of(painted);
            }
        };
    }

    private static final Attempt UNWATCHED = new UnwatchedAttempt();

    private static final UUID OWNER = new UUID(0, 1);

    private static Job job() {
        var now = Instant.now();
        return new Job(UUID.randomUUID(), OWNER, NewJob.of("a lake in the mountains at dawn"), Optional.empty(),
                JobStatus.RUNNING, 1, 0, Optional.of(UUID.randomUUID()), Optional.empty(), Optional.empty(), List.of(),
                Optional.empty(), 1, now, now, Optional.of(now), Optional.empty());
    }
}
