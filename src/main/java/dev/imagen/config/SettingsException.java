package dev.imagen.config;

/** A setting that cannot work. The message names the key, its environment variable and the limit. */
public final class SettingsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    SettingsException(String message) {
        super(message);
    }
}
