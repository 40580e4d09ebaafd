package dev.imagen.backend;

import dev.imagen.backend.landscape.LandscapePicture;
import dev.imagen.job.JobFailedException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A backend without a model, for trying ImaGen out and for tests: paints a landscape that depends on the prompt, the
 * seed, the size and the steps, and on nothing else. It can be slow and can fail, on purpose; while it is slow it shows
 * three previews.
 */
public final class MockBackend implements ImageBackend {

    private static final int MAX_SIDE = 2048;
    private static final int PREVIEW_SIDE = 256;

    private static final BackendInfo INFO = new BackendInfo("mock", List.of("mock-landscape"),
            new BackendInfo.Defaults(512, 512, 20),
            new BackendInfo.Limits(16, MAX_SIDE, (long) MAX_SIDE * MAX_SIDE, 150), List.of(),
            EnumSet.allOf(Feature.class), Map.of());

    private final Duration delay;
    private final double failures;

    /**
     * @param delay what a picture takes in all, spread evenly over its steps; zero: as quick as it can be
     * @param failures the share of attempts that fail at their end, 0 to 1
     * @throws IllegalArgumentException for a negative delay or another share
     */
    public MockBackend(Duration delay, double failures) {
        if (delay.isNegative()) {
            throw new IllegalArgumentException("mock.delay must not be negative: " + delay);
        }
        if (!(failures >= 0 && failures <= 1)) {
            throw new IllegalArgumentException("mock.failures must be between 0 and 1: " + failures);
        }
        this.delay = delay;
        this.failures = failures;
    }

    @Override
    public BackendInfo info() {
        return INFO;
    }

    @Override
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        long start = System.nanoTime();
        int steps = request.steps();
        int quartersShown = 0;
        for (int step = 1; step <= steps; step++) {
            sleepUntil(start + delay.multipliedBy(step).dividedBy(steps).toNanos());
            progress.finished(step, steps);
            int quarters = 4 * step / steps;
            if (delay.isPositive() && quarters > quartersShown && step < steps && progress.previewWanted()) {
                quartersShown = quarters;
                progress.preview(preview(request, step));
            }
        }
        stopIfInterrupted();
        if (ThreadLocalRandom.current().nextDouble() < failures) {
            throw JobFailedException.temporary("mock backend failed on purpose (mock.failures=" + failures + ")");
        }
        return Generation.of(picture(request, request.width(), request.height(), steps));
    }

    /** The same landscape, small, and with no more detail than these steps give. */
    private static byte[] preview(ImageRequest request, int step) throws JobFailedException {
        int shrink = Math.max(1, Math.ceilDiv(Math.max(request.width(), request.height()), PREVIEW_SIDE));
        return picture(request, Math.max(1, request.width() / shrink), Math.max(1, request.height() / shrink), step);
    }

    private static byte[] picture(ImageRequest request, int width, int height, int steps) throws JobFailedException {
        byte[] landscape = LandscapePicture.png(request.prompt(), request.seed(), width, height, steps);
        return request.input().isPresent() ? Overpainting.png(request.input().get(), landscape) : landscape;
    }

    /** Towards a point in time, not for one: else every step would add what its sleep took too long. */
    private void sleepUntil(long due) throws InterruptedException {
        stopIfInterrupted();
        if (delay.isPositive()) {
            Thread.sleep(Duration.ofNanos(due - System.nanoTime()));
        }
    }

    private static void stopIfInterrupted() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("the mock backend was interrupted");
        }
    }
}
