package dev.imagen.api;

import dev.imagen.database.Caller;
import dev.imagen.job.Job;
import dev.imagen.queue.OwnedJobs;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;

/**
 * What a stream of all jobs begins with, read page by page while it is sent: an owner may have any number of them.
 * First those that are not finished, then those that finished since.
 */
final class JobPages implements Iterator<Job> {

    private static final int PAGE = 500;

    private final OwnedJobs jobs;
    private final Caller caller;
    private final UUID owner;
    private final Optional<Instant> since;
    private final Queue<Job> page = new ArrayDeque<>();
    private Optional<Job> lastUnfinished = Optional.empty();
    private Optional<Job> lastFinished = Optional.empty();
    private boolean unfinishedRead;
    private boolean finishedRead;

    /** @param since where finished jobs begin; empty: none of them */
    JobPages(OwnedJobs jobs, Caller caller, UUID owner, Optional<Instant> since) {
        this.jobs = jobs;
        this.caller = caller;
        this.owner = owner;
        this.since = since;
        this.finishedRead = since.isEmpty();
    }

    @Override
    public boolean hasNext() {
        while (page.isEmpty() && !(unfinishedRead && finishedRead)) {
            if (!unfinishedRead) {
                var next = jobs.unfinished(caller, owner, lastUnfinished.map(Job::id), PAGE);
                unfinishedRead = next.size() < PAGE;
                lastUnfinished = last(next);
                page.addAll(next);
            } else {
                var next = jobs.finished(caller, owner, lastFinished.map(Job::updatedAt).or(() -> since).orElseThrow(),
                        lastFinished.map(Job::id), PAGE);
                finishedRead = next.size() < PAGE;
                lastFinished = last(next);
                page.addAll(next);
            }
        }
        return !page.isEmpty();
    }

    private static Optional<Job> last(List<Job> jobs) {
        return jobs.isEmpty() ? Optional.empty() : Optional.of(jobs.getLast());
    }

    @Override
    public Job next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return page.remove();
    }
}
