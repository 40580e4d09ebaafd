package dev.imagen.upkeep;

import java.util.function.BooleanSupplier;

/** A part of a round, done in batches. A failure is logged by the round, and leaves the rest for the next one. */
interface Chore {

    /** What it is about, for the log. */
    String name();

    /**
     * Works until nothing is left to do.
     *
     * @param goOn asked before each further batch; false: another process may do the upkeep now, or this one stops
     */
    void run(BooleanSupplier goOn);
}
