package dev.imagen.queue;

import dev.imagen.config.WorkerSettings;
import dev.imagen.job.Job;
import dev.imagen.job.Metered;
import dev.imagen.job.NewImage;
import dev.imagen.job.Outcome;
import dev.imagen.job.Usage;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.ProgressTick;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** What the tests of the queue need again and again. */
final class QueueFixtures {

    static final Duration BACKOFF = Duration.ofHours(1);

    private QueueFixtures() {}

    /** @param unknown how long a due job waits for a worker that knows its backend */
    static WorkerSettings settings(Duration unknown) {
        return new WorkerSettings(true, 4, Duration.ofSeconds(5), Duration.ofMinutes(5), Duration.ofMinutes(5),
                Duration.ofSeconds(15), unknown, BACKOFF, Map.of());
    }

    static WorkerIdentity worker(String... backends) {
        return new WorkerIdentity(UUID.randomUUID(), "a test", List.of(backends));
    }

    /** All that a worker offers, without limits. */
    static List<Offer> offers(WorkerIdentity worker) {
        return worker.backends().stream().map(name -> new Offer(name, 10_000, Optional.empty())).toList();
    }

    static ProgressTick tick(Job job, int step, int steps) {
        return tick(job, step, steps, null);
    }

    static ProgressTick tick(Job job, int step, int steps, byte[] preview) {
        return new ProgressTick(job, step, steps, Duration.ofSeconds(step), Duration.ZERO,
                Optional.ofNullable(preview));
    }

    static NewImage image(Job job, int position) {
        return new NewImage(UUID.randomUUID(), "file", "o/" + job.id() + "-" + job.attempt() + "-" + position + ".png",
                "image/png", 512, 256, 4, new byte[]{1, 2, 3}, "mock", "mock-landscape", "as sent", Optional.of("no"),
                Optional.of("noir"), Optional.of(9007199254740991L), Optional.of(20));
    }

    static Usage usage(int images) {
        return new Usage("mock", "mock-landscape", images, images * 0.131072, Duration.ofMillis(1500), Metered.NOTHING);
    }

    static Outcome.Done done(Job job, int images) {
        var made = new ArrayList<NewImage>();
        for (int position = 0; position < images; position++) {
            made.add(image(job, position));
        }
        return new Outcome.Done(made, Optional.of(usage(images)));
    }

    static Outcome.Failed failed(String error, boolean retryable) {
        return new Outcome.Failed(error, retryable, Optional.empty(), Optional.of(usage(0)));
    }
}
