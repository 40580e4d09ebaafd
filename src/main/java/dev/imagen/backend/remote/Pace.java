package dev.imagen.backend.remote;

import java.time.Duration;

/**
 * How often a server is asked how its work fares. Most pictures are quick, so it is asked soon at first, and then ever
 * less often.
 *
 * @param first wait
 * @param most wait; each is half as long again as the one before
 * @param patience how long the answer to a call that was given up is waited for, to end what it began
 */
public record Pace(Duration first, Duration most, Duration patience) {

    /** For providers, which limit how many calls a minute may have. */
    public static final Pace USUAL = new Pace(Duration.ofMillis(500), Duration.ofSeconds(5), Duration.ofSeconds(10));

    Duration after(Duration wait) {
        var longer = wait.multipliedBy(3).dividedBy(2);
        return longer.compareTo(most) < 0 ? longer : most;
    }
}
