package dev.imagen.queue;

import dev.imagen.database.Caller;
import dev.imagen.job.Job;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.queue.Move.Holder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** Who the numbers in a {@link Move} stand for; threads share it. */
final class Cast {

    static final List<Integer> WORKERS = List.of(1, 2, 3);
    /** The worker that offers every backend. */
    static final int ALL_ROUND = 3;

    /** Their defaults differ, and "dalle" has one worker only. */
    private static final Map<Integer, List<String>> BACKENDS = Map.of(1, List.of("mock", "flux"), 2,
            List.of("flux", "mock"), ALL_ROUND, List.of("dalle", "flux", "mock"));

    private final Map<Integer, List<WorkerIdentity>> lives = new ConcurrentHashMap<>();
    private final List<Job> claims = new CopyOnWriteArrayList<>();

    static List<String> backends(int worker) {
        return BACKENDS.get(worker);
    }

    /** How many jobs of a backend may run at once. */
    static Optional<Integer> concurrency(String backend) {
        return backend.equals("flux") ? Optional.of(2) : Optional.empty();
    }

    static UUID id(int job) {
        return UUID.fromString("00000000-0000-4000-8000-00000000000" + job);
    }

    /** Two owners share the jobs. */
    static Caller owner(int job) {
        return Caller.owner(UUID.fromString("00000000-0000-4000-8000-0000000000" + (job % 2 == 0 ? "aa" : "bb")));
    }

    static int number(UUID job) {
        return (int) (job.getLeastSignificantBits() & 0xf);
    }

    /** What a worker calls itself in its {@code life}th registration, from 1. */
    static String name(int worker, int life) {
        return "worker " + worker + " life " + life;
    }

    /** A new process of this worker. */
    synchronized WorkerIdentity register(int worker) {
        var earlier = lives.computeIfAbsent(worker, _ -> new CopyOnWriteArrayList<>());
        earlier.add(new WorkerIdentity(UUID.randomUUID(), name(worker, earlier.size() + 1), backends(worker)));
        return earlier.getLast();
    }

    /** The process that the worker is at present. */
    WorkerIdentity worker(int worker) {
        return lives.get(worker).getLast();
    }

    String name(UUID worker) {
        return lives.values().stream().flatMap(List::stream).filter(life -> life.id().equals(worker))
                .map(WorkerIdentity::name).findFirst().orElse("a stranger");
    }

    void claimed(List<Job> jobs) {
        claims.addAll(jobs);
    }

    /** The job as its holder got it, if there was such a claim. */
    Optional<Job> job(Holder holder) {
        return lastClaims(holder.back() + 1).skip(holder.back()).findFirst()
                .map(job -> holder.stranger() ? stolen(job) : job);
    }

    /** The last first. */
    Stream<Job> lastClaims(int count) {
        return claims.reversed().stream().limit(count);
    }

    private static Job stolen(Job job) {
        return new Job(job.id(), job.ownerUserId(), job.request(), job.idempotencyKey(), job.status(), job.attempt(),
                job.failures(), Optional.of(UUID.randomUUID()), job.error(), job.imageId(), job.images(),
                job.cancelRequestedAt(), job.version(), job.createdAt(), job.updatedAt(), job.startedAt(),
                job.completedAt());
    }
}
