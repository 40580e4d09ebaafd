package dev.imagen.config;

/**
 * A password or key: shown to nobody by accident.
 *
 * @param value as it goes to whom it is for
 */
public record Secret(String value) {

    @Override
    public String toString() {
        return "***";
    }
}
