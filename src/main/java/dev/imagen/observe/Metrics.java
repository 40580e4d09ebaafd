package dev.imagen.observe;

import dev.imagen.database.Database;
import dev.imagen.database.Notifications;
import dev.imagen.event.JobEvents;
import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import dev.imagen.worker.WorkerListener;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.FunctionalCounter;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.metrics.api.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** Meters by Prometheus names with their units. */
public final class Metrics implements WorkerListener {

    private static final Duration[] PICKUP_BUCKETS = buckets(1, 2, 5, 10, 20, 50, 100, 500, 1_000, 5_000, 30_000,
            300_000);
    /** Buckets can be summed over replicas, quantiles cannot. */
    private static final double[] NO_QUANTILES = {};
    private static final Duration[] RUN_BUCKETS = buckets(10, 20, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 30_000,
            60_000, 300_000);

    /** Of two, within the ten seconds of a scrape. */
    private static final Duration LONGEST_READ = Duration.ofSeconds(3);

    private final MeterRegistry registry;

    /** @param registry where the meters are kept */
    public Metrics(MeterRegistry registry) {
        this.registry = registry;
        rescuedCounter();
    }

    /** Adds what the rest of the process knows. */
    public void observe(Database database, Notifications notifications, JobEvents events, Supplier<Number> inFlight) {
        gauge("imagen_jobs_in_flight", "Jobs that this process runs", inFlight);
        var depth = new Scraped<>(() -> QueueDepth.read(database), LONGEST_READ, QueueDepth.UNKNOWN);
        gauge("imagen_database_up", "1 while the database answers what gauges ask of it, else 0",
                () -> depth.answered() ? 1 : 0);
        depthGauge("pending", () -> depth.now().pending());
        depthGauge("scheduled", () -> depth.now().scheduled());
        depthGauge("running", () -> depth.now().running());
        gauge("imagen_queue_oldest_pending_seconds", "How long the first due job has waited",
                () -> depth.now().oldestSeconds());
        var oldest = new Scraped<>(() -> OldestTransaction.read(database), LONGEST_READ, OldestTransaction.UNKNOWN);
        gauge("imagen_database_oldest_transaction_seconds", "How long the oldest open transaction has been open",
                () -> oldest.now().seconds());
        gauge("imagen_database_oldest_xmin_age", "Transactions since the oldest whose dead rows must be kept",
                () -> oldest.now().xminAge());
        gauge("imagen_event_streams", "Open event streams", events::watching);
        registry.getOrCreate(
                FunctionalCounter.builder("imagen_listener_reconnects", notifications, Notifications::reconnects)
                        .description("How often the listener connected again"));
    }

    private void depthGauge(String status, Supplier<Number> value) {
        registry.getOrCreate(Gauge.builder("imagen_queue_jobs", value).description("Jobs in the queue by status")
                .tags(List.of(Tag.create("status", status))));
    }

    private void gauge(String name, String description, Supplier<Number> value) {
        registry.getOrCreate(Gauge.builder(name, value).description(description));
    }

    private Counter rescuedCounter() {
        return registry.getOrCreate(Counter.builder("imagen_jobs_rescued")
                .description("Jobs taken back from dead workers by this process"));
    }

    @Override
    public void claimed(Job job) {
        registry.getOrCreate(Counter.builder("imagen_jobs_claimed").description("Jobs that this process claimed")
                .tags(List.of(backend(job)))).increment();
        job.waited().filter(_ -> job.attempt() == 1)
                .ifPresent(wait -> registry.getOrCreate(Timer.builder("imagen_job_pickup")
                        .description("From due to claimed").buckets(PICKUP_BUCKETS).percentiles(NO_QUANTILES))
                        .record(wait));
    }

    @Override
    public void finished(Job job, Outcome outcome, Duration took) {
        registry.getOrCreate(Counter.builder("imagen_jobs_finished").description("Attempts that ended in this process")
                .tags(List.of(backend(job), Tag.create("outcome", outcome.text())))).increment();
        registry.getOrCreate(Timer.builder("imagen_job_run").description("From claimed to recorded")
                .tags(List.of(backend(job))).buckets(RUN_BUCKETS).percentiles(NO_QUANTILES)).record(took);
    }

    @Override
    public void rescued(int jobs) {
        rescuedCounter().increment(jobs);
    }

    private static Tag backend(Job job) {
        return Tag.create("backend", job.request().backend().orElse(""));
    }

    private static Duration[] buckets(long... millis) {
        return Arrays.stream(millis).mapToObj(Duration::ofMillis).toArray(Duration[]::new);
    }
}
