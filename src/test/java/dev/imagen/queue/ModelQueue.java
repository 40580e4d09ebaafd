package dev.imagen.queue;

import dev.imagen.job.JobStatus;
import dev.imagen.queue.Answer.Attempt;
import dev.imagen.queue.Answer.Plain;
import dev.imagen.queue.JobQueue.Settled;
import dev.imagen.queue.Move.Ending;
import dev.imagen.queue.Move.Holder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The queue as docs/architecture.md says that it is, in plain Java: what {@link RealQueue} has to do. */
final class ModelQueue {

    /** Later than any sequence is long. */
    private static final int UNTIL_WAIT = 1_000_000;

    private static final Comparator<ModelJob> LINE = Comparator.<ModelJob>comparingInt(job -> -job.priority)
            .thenComparingInt(job -> job.dueAt).thenComparingInt(job -> job.number);

    private final Map<Integer, ModelJob> jobs = new TreeMap<>();
    /** How often each worker has registered. */
    private final Map<Integer, Integer> lives = new HashMap<>();
    /** The names of the processes that hold a lease, and whose they are. */
    private final Map<String, Integer> alive = new HashMap<>();
    /** Every claim of a job that was made. */
    private final List<Attempt> attempts = new ArrayList<>();
    private final Set<String> paused = new HashSet<>();
    private int now;

    Answer play(Move move) {
        now++;
        return switch (move) {
            case Move.Insert insert -> insert(insert);
            case Move.Cancel cancel -> find(cancel.job()).map(this::cancel).orElse(Plain.REFUSED);
            case Move.Retry retry -> find(retry.job()).map(this::retry).orElse(Plain.REFUSED);
            case Move.Register register -> register(register.worker());
            case Move.Die die -> nothing(alive.values().removeIf(worker -> worker == die.worker()));
            case Move.Leave leave -> nothing(alive.remove(name(leave.worker())));
            case Move.Renew renew -> renew(name(renew.worker()));
            case Move.Claim claim -> claim(claim);
            case Move.Settle settle ->
                attempt(settle.holder()).map(attempt -> settle(attempt, settle)).orElse(Plain.NOTHING);
            case Move.Progress progress -> progress(progress);
            case Move.HandBackUnknown back -> handBackUnknown(name(back.worker()), back.known());
            case Move.Rescue() -> rescue();
            case Move.FailUnoffered() -> failUnoffered();
            case Move.Pause pause -> nothing(paused.add(pause.backend()));
            case Move.Resume() -> nothing(paused.removeIf(_ -> true));
            case Move.Wait() -> waitUntilDue();
        };
    }

    private Optional<ModelJob> find(int job) {
        return Optional.ofNullable(jobs.get(job));
    }

    private List<ModelJob> those(Predicate<ModelJob> condition) {
        return jobs.values().stream().filter(condition).toList();
    }

    private static Answer nothing(Object ignored) {
        return Plain.NOTHING;
    }

    // Owners

    private Answer insert(Move.Insert insert) {
        return jobs.putIfAbsent(insert.job(), new ModelJob(insert, now)) == null
                ? new Answer.Became(JobStatus.PENDING)
                : Plain.REFUSED;
    }

    private Answer cancel(ModelJob job) {
        job.cancel();
        return new Answer.Became(job.status);
    }

    private Answer retry(ModelJob job) {
        if (job.status != JobStatus.FAILED && job.status != JobStatus.CANCELLED) {
            return Plain.REFUSED;
        }
        job.retry(now);
        return new Answer.Became(JobStatus.PENDING);
    }

    // Workers

    /** The process that the worker is at present. */
    private String name(int worker) {
        return Cast.name(worker, lives.get(worker));
    }

    private Answer register(int worker) {
        lives.merge(worker, 1, Integer::sum);
        return nothing(alive.put(name(worker), worker));
    }

    private Answer renew(String process) {
        var cancels = those(job -> running(job, process) && job.cancelRequested);
        return new Answer.Renewed(alive.containsKey(process),
                cancels.stream().map(job -> job.number).collect(Collectors.toSet()));
    }

    private static boolean running(ModelJob job, String process) {
        return job.status == JobStatus.RUNNING && job.worker.equals(Optional.of(process));
    }

    private Answer claim(Move.Claim claim) {
        var process = name(claim.worker());
        var backends = Cast.backends(claim.worker());
        var claimed = new ArrayList<Attempt>();
        for (var job : those(job -> due(job) && alive.containsKey(process)).stream().sorted(LINE).toList()) {
            var backend = job.backend.orElse(backends.getFirst());
            if (claimed.size() < claim.limit() && backends.contains(backend) && free(backend)) {
                job.claim(process, backend);
                claimed.add(new Attempt(job.number, job.attempt));
            }
        }
        attempts.addAll(claimed);
        return new Answer.Claimed(claimed);
    }

    private boolean due(ModelJob job) {
        return job.status == JobStatus.PENDING && job.dueAt <= now;
    }

    private boolean free(String backend) {
        var running = those(job -> job.status == JobStatus.RUNNING && job.backend.equals(Optional.of(backend)));
        return !paused.contains(backend) && Cast.concurrency(backend).map(limit -> running.size() < limit).orElse(true);
    }

    private Optional<Attempt> attempt(Holder holder) {
        return attempts.reversed().stream().skip(holder.back()).findFirst();
    }

    private Answer settle(Attempt attempt, Move.Settle settle) {
        return new Answer.Settled(attempt, settle(jobs.get(attempt.job()), attempt, settle));
    }

    private Settled settle(ModelJob job, Attempt attempt, Move.Settle settle) {
        boolean ours = job.attempt == attempt.number() && !settle.holder().stranger();
        if (ours && job.status == JobStatus.RUNNING) {
            job.settle(settle.ending(), now + UNTIL_WAIT);
            return Settled.WRITTEN;
        }
        boolean repeated = ours && job.status == JobStatus.DONE && settle.ending() == Ending.DONE;
        return repeated ? Settled.WRITTEN : Settled.REFUSED;
    }

    private Answer progress(Move.Progress progress) {
        attempts.reversed().stream().limit(progress.claims()).forEach(attempt -> {
            var job = jobs.get(attempt.job());
            if (job.status == JobStatus.RUNNING && job.attempt == attempt.number()) {
                job.progress = Optional.of(progress.step());
            }
        });
        return Plain.NOTHING;
    }

    // Upkeep

    private Answer handBackUnknown(String process, int known) {
        return changed(those(job -> running(job, process) && job.number != known), ModelJob::handBack);
    }

    private Answer rescue() {
        those(job -> job.status != JobStatus.RUNNING).forEach(job -> job.progress = Optional.empty());
        return changed(those(job -> job.status == JobStatus.RUNNING && !alive.containsKey(job.worker.orElseThrow())),
                ModelJob::rescue);
    }

    private static Answer changed(List<ModelJob> jobs, Consumer<ModelJob> change) {
        jobs.forEach(change);
        return new Answer.Changed(jobs.size());
    }

    private Answer failUnoffered() {
        var offered = alive.values().stream().map(Cast::backends).flatMap(List::stream).collect(Collectors.toSet());
        var lost = those(job -> job.status == JobStatus.PENDING
                && job.backend.filter(backend -> !offered.contains(backend) && !paused.contains(backend)).isPresent());
        var backends = lost.stream().map(job -> job.backend.orElseThrow()).collect(Collectors.toSet());
        var due = lost.stream().filter(this::due).toList();
        due.forEach(ModelJob::failUnoffered);
        return new Answer.Unoffered(backends, due.size());
    }

    private Answer waitUntilDue() {
        those(job -> job.status == JobStatus.PENDING && job.dueAt > now).forEach(job -> job.dueAt = now);
        return Plain.NOTHING;
    }

    /** All jobs, in the order of their numbers. */
    List<JobState> jobs() {
        return jobs.values().stream().map(ModelJob::state).toList();
    }
}
