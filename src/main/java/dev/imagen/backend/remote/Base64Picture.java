package dev.imagen.backend.remote;

import java.util.Base64;
import java.util.Optional;

/** A picture within JSON. Some servers send data URLs, some lines of 76 characters. */
public final class Base64Picture {

    private Base64Picture() {}

    /** Empty where it is no Base64. */
    public static Optional<byte[]> read(String text) {
        int start = text.startsWith("data:") ? text.indexOf(',') + 1 : 0;
        try {
            return Optional.of(Base64.getMimeDecoder().decode(text.substring(start)));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
