package dev.imagen.config;

/**
 * A password, key or token. It shows itself to nobody: what is logged or put into an error prints stars.
 *
 * @param value the secret itself
 */
public record Secret(String value) {

    @Override
    public String toString() {
        return "***";
    }
}
