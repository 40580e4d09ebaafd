package dev.imagen.backend;

/**
 * Why a job cannot be done as it asks.
 *
 * @param field of the job, such as {@code width} or {@code params.quality}
 * @param detail what is wrong with it, to be read after its name: "must be one of …"
 */
public record Refusal(String field, String detail) {

    @Override
    public String toString() {
        return field + " " + detail;
    }
}
