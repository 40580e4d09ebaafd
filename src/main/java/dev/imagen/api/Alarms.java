package dev.imagen.api;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Alarms that are set all the time and hardly ever ring, one or two for each connection. Each is a place in a set that
 * is looked through now and then: in an exact timer's queue threads would stand in line, and wake the timer each time.
 */
final class Alarms {

    private static final System.Logger LOG = System.getLogger(Alarms.class.getName());

    /** Alarms are late by this at most. */
    private static final Duration TICK = Duration.ofMillis(250);

    private static final Set<Alarm> SET = ConcurrentHashMap.newKeySet();

    static {
        Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("imagen-alarms").factory())
                .scheduleWithFixedDelay(Alarms::ring, TICK.toNanos(), TICK.toNanos(), TimeUnit.NANOSECONDS);
    }

    private Alarms() {}

    /** One that was set. */
    static final class Alarm implements AutoCloseable {

        private final long at;
        private final Runnable task;

        private Alarm(long at, Runnable task) {
            this.at = at;
            this.task = task;
        }

        /** It rings no more, but may just be ringing. */
        @Override
        public void close() {
            SET.remove(this);
        }
    }

    /** @param task is run on the thread that serves all alarms, again and again until it is closed: must not block */
    static Alarm after(Duration wait, Runnable task) {
        var alarm = new Alarm(System.nanoTime() + wait.toNanos(), task);
        SET.add(alarm);
        return alarm;
    }

    private static void ring() {
        long now = System.nanoTime();
        SET.forEach(alarm -> {
            if (now - alarm.at >= 0) {
                ring(alarm);
            }
        });
    }

    /** One that fails must not end the looking: then no connection would have a limit any more. */
    private static void ring(Alarm alarm) {
        try {
            alarm.task.run();
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "an alarm failed", e);
        }
    }
}
