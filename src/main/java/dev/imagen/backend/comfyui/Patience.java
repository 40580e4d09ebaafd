package dev.imagen.backend.comfyui;

import java.time.Duration;

/**
 * How long to wait.
 *
 * @param longest for a picture
 * @param look between two looks at how a prompt fares, where its socket does not tell
 */
record Patience(Duration longest, Duration look) {

    Patience(Duration longest) {
        this(longest, Duration.ofSeconds(1));
    }

    /** Between two looks while the socket tells: it could have lost something. */
    Duration rareLook() {
        return look.multipliedBy(5);
    }

    /** For a server that does not answer; it may be starting again. */
    Duration silence() {
        return look.multipliedBy(30);
    }
}
