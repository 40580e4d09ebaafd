package dev.imagen.queue;

import dev.imagen.job.JobStatus;
import java.util.List;
import java.util.Set;

/** What the queue answers to a {@link Move}; jobs go by their numbers. */
sealed interface Answer {

    /** Answers that say no more than that. */
    enum Plain implements Answer {
        REFUSED,
        /** There was nothing to ask for, or nothing to tell. */
        NOTHING
    }

    /** One claim of a job. */
    record Attempt(int job, int number) {
        @Override
        public String toString() {
            return "job " + job + " attempt " + number;
        }
    }

    /** What a claim got, in order. */
    record Claimed(List<Attempt> attempts) implements Answer {}

    /** What a heartbeat told. */
    record Renewed(boolean alive, Set<Integer> cancels) implements Answer {}

    /** What became of a write about an attempt. */
    record Settled(Attempt attempt, JobQueue.Settled settled) implements Answer {}

    /** What the owner sees. */
    record Became(JobStatus status) implements Answer {}

    /** How many jobs were changed. */
    record Changed(int jobs) implements Answer {}

    /** Which backends nobody offers, and how many jobs failed for it. */
    record Unoffered(Set<String> backends, int failed) implements Answer {}
}
