package dev.imagen;

import java.util.logging.LogManager;

/**
 * Keeps logging while the process stops: the JDK's own manager drops its handlers as soon as the stop begins, and what
 * becomes of the jobs in flight would go unsaid. The logging system makes this class by its name.
 */
public final class LastingLogManager extends LogManager {

    /** Does nothing: the handlers of this process stay until its end. */
    @Override
    public void reset() {
        // On purpose.
    }
}
