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
     * How the picture looks so far. Returns at once, and may be called as often as the engine likes; it is shown
     * together with the last step that was finished, so not before the first.
     *
     * @param picture as the engine made it, of a kind and size that need not be checked: whoever shows it does that;
     *     not changed afterwards
     */
    default void preview(byte[] picture) {}

    /** Whether anybody would see a preview now. Where it takes an engine work, it is asked for one only then. */
    default boolean previewWanted() {
        return false;
    }
}
