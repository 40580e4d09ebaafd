package dev.imagen.queue;

import static dev.imagen.job.JobStatus.CANCELLED;
import static dev.imagen.job.JobStatus.DONE;
import static dev.imagen.job.JobStatus.FAILED;
import static dev.imagen.job.JobStatus.PENDING;
import static dev.imagen.job.JobStatus.RUNNING;

import dev.imagen.job.JobStatus;
import dev.imagen.queue.Move.Ending;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** A job as docs/architecture.md says that it moves. */
final class ModelJob {

    final int number;
    final int priority;
    private final int maxAttempts;
    private final SortedMap<Integer, String> attempts = new TreeMap<>();
    private final SortedMap<Integer, String> usage = new TreeMap<>();

    Optional<String> backend;
    JobStatus status = PENDING;
    int dueAt;
    int attempt;
    private int failures;
    Optional<String> worker = Optional.empty();
    private boolean error;
    boolean cancelRequested;
    private boolean started;
    private boolean completed;
    private int version;
    Optional<Integer> progress = Optional.empty();

    ModelJob(Move.Insert insert, int now) {
        this.number = insert.job();
        this.priority = insert.priority();
        this.maxAttempts = insert.maxAttempts();
        this.backend = insert.backend();
        this.dueAt = now;
    }

    // Moves

    void claim(String by, String resolvedBackend) {
        change(RUNNING);
        attempt++;
        worker = Optional.of(by);
        backend = Optional.of(resolvedBackend);
        started = true;
    }

    /** @param next when it is due, should it be tried again */
    void settle(Ending ending, int next) {
        usage.put(attempt, ending.outcome());
        switch (ending) {
            case DONE -> {
                error = false;
                end(DONE, "done");
            }
            case FAILED_FOR_NOW -> {
                fail(true, "failed");
                dueAt = status == PENDING ? next : dueAt;
            }
            case FAILED_FOR_GOOD -> fail(false, "failed");
            case CANCELLED -> end(CANCELLED, "cancelled");
            case HANDED_BACK -> handBack();
        }
    }

    void rescue() {
        fail(true, "rescued");
    }

    private void fail(boolean retryable, String outcome) {
        failures++;
        error = true;
        end(cancelRequested ? CANCELLED : retryable && failures < maxAttempts ? PENDING : FAILED, outcome);
    }

    void handBack() {
        end(cancelRequested ? CANCELLED : PENDING, "handed_back");
    }

    private void end(JobStatus to, String outcome) {
        attempts.put(attempt, outcome);
        change(to);
    }

    void failUnoffered() {
        error = true;
        change(FAILED);
    }

    void cancel() {
        if (status == PENDING) {
            cancelRequested = true;
            change(CANCELLED);
        } else if (status == RUNNING && !cancelRequested) {
            cancelRequested = true;
            version++;
        }
    }

    void retry(int now) {
        failures = 0;
        error = false;
        cancelRequested = false;
        dueAt = now;
        change(PENDING);
    }

    private void change(JobStatus to) {
        status = to;
        version++;
        completed = to.finished();
        if (to == PENDING) {
            worker = Optional.empty();
            started = false;
        }
    }

    // What is seen of it

    JobState state() {
        return new JobState(number, status, backend, attempt, failures, worker, error, cancelRequested, started,
                completed, true, version, status == DONE ? JobState.images(attempt) : "", attempts, usage, progress);
    }
}
