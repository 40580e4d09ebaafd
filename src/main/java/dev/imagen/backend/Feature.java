package dev.imagen.backend;

/** What a job may set, and not every backend can do. A job that sets one that its backend lacks is refused. */
public enum Feature {
    /** What to leave out. Of a style it is left out itself where the backend knows no such thing. */
    NEGATIVE_PROMPT("negative_prompt"),
    /** Sampling steps. */
    STEPS("steps"),
    /** The same seed gives the same picture. */
    SEED("seed"),
    /** A picture to begin with. */
    INPUT_IMAGE("input_image_id"),
    /** How much of that picture changes. */
    STRENGTH("strength");

    private final String field;

    Feature(String field) {
        this.field = field;
    }

    /** The job's field. */
    public String field() {
        return field;
    }
}
