package dev.imagen.backend;

/** Hears how far a picture is. */
@FunctionalInterface
public interface Progress {

    /**
     * @param step steps finished, 1 to {@code steps}
     * @param steps steps in all
     */
    void finished(int step, int steps);
}
