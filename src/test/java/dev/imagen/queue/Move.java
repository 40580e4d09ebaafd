package dev.imagen.queue;

import java.util.Optional;

/**
 * Something that somebody does to the queue. Jobs and workers go by small numbers, so that a sequence that fails can be
 * read; claims by how long ago they were, so that it still means something when moves are left out of it.
 */
sealed interface Move {

    /**
     * A claim that somebody speaks for.
     *
     * @param back 0 for the last one that was made, 1 for the one before
     * @param stranger whether a worker speaks that did not make it
     */
    record Holder(int back, boolean stranger) {
        @Override
        public String toString() {
            return (back == 0 ? "last claim" : "claim " + back + " before the last")
                    + (stranger ? " (by a stranger)" : "");
        }
    }

    /** How an attempt ends. */
    enum Ending {
        DONE("done"), FAILED_FOR_NOW("failed"), FAILED_FOR_GOOD("failed"), CANCELLED("cancelled"), HANDED_BACK(
                "handed_back");

        private final String outcome;

        Ending(String outcome) {
            this.outcome = outcome;
        }

        /** As the records of the attempt and of its usage have it. */
        String outcome() {
            return outcome;
        }
    }

    /** The owner asks for an image. */
    record Insert(int job, Optional<String> backend, int priority, int maxAttempts) implements Move {
        @Override
        public String toString() {
            return "insert job %d (%s, priority %d, %d attempts)".formatted(job, backend.orElse("any backend"),
                    priority, maxAttempts);
        }
    }

    /** The owner has enough of it. */
    record Cancel(int job) implements Move {
        @Override
        public String toString() {
            return "cancel job " + job;
        }
    }

    /** The owner wants it after all. */
    record Retry(int job) implements Move {
        @Override
        public String toString() {
            return "retry job " + job;
        }
    }

    /** A worker process starts, under a new id. */
    record Register(int worker) implements Move {
        @Override
        public String toString() {
            return "worker " + worker + " registers";
        }
    }

    /** The leases of all processes of this worker run out. */
    record Die(int worker) implements Move {
        @Override
        public String toString() {
            return "worker " + worker + " dies";
        }
    }

    /** A worker takes itself off the list. */
    record Leave(int worker) implements Move {
        @Override
        public String toString() {
            return "worker " + worker + " leaves";
        }
    }

    /** A heartbeat. */
    record Renew(int worker) implements Move {
        @Override
        public String toString() {
            return "worker " + worker + " renews";
        }
    }

    /** A worker takes jobs. */
    record Claim(int worker, int limit) implements Move {
        @Override
        public String toString() {
            return "worker %d claims up to %d".formatted(worker, limit);
        }
    }

    /** A worker records how an attempt ended. */
    record Settle(Holder holder, Ending ending) implements Move {
        @Override
        public String toString() {
            return holder + ": " + ending;
        }
    }

    /** The last claims are that far, or so believes who made them; in one statement, as a worker writes it. */
    record Progress(int claims, int step) implements Move {
        @Override
        public String toString() {
            return "last %d claims: step %d".formatted(claims, step);
        }
    }

    /** A worker finds rows in its name that it knows nothing of, but for one job. */
    record HandBackUnknown(int worker, int known) implements Move {
        @Override
        public String toString() {
            return "worker %d hands back all but job %d".formatted(worker, known);
        }
    }

    /** Somebody looks for jobs of the dead. */
    record Rescue() implements Move {
        @Override
        public String toString() {
            return "rescue";
        }
    }

    /** Somebody looks for jobs whose backend nobody offers. */
    record FailUnoffered() implements Move {
        @Override
        public String toString() {
            return "fail unoffered";
        }
    }

    /** An operator has nothing more claimed of a backend. */
    record Pause(String backend) implements Move {
        @Override
        public String toString() {
            return "pause " + backend;
        }
    }

    /** An operator ends all pauses. */
    record Resume() implements Move {
        @Override
        public String toString() {
            return "resume";
        }
    }

    /** Time passes: whoever waited for a next attempt is due. */
    record Wait() implements Move {
        @Override
        public String toString() {
            return "wait until all are due";
        }
    }
}
