package dev.imagen.backend;

/** Hears how far a picture is. */
@FunctionalInterface
public interface Progress {

    /**
     * @param step steps finished, 1 to {@code steps}
     * @param steps steps in all
     */
    void finished(int step, int steps);

    /**
     * How the picture looks so far.
     *
     * @param picture as the engine made it, of a kind and size that need not be checked: whoever shows it does that
     */
    default void preview(byte[] picture) {}
}
