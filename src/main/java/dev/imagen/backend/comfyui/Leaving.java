package dev.imagen.backend.comfyui;

import dev.imagen.backend.comfyui.Prompts.Standing;
import dev.imagen.job.JobFailedException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Takes prompts back that nobody waits for any more, on threads of its own: whoever cancels a job does not wait for its
 * server.
 */
final class Leaving {

    /** A server that is busy with a model heeds an interrupt only afterwards. */
    private static final int ROUNDS = 60;

    /** A prompt that was just sent may not have been read. */
    private static final int LOOKS_BEFORE_UNKNOWN = 3;

    /** Between two interrupts of the same prompt, in looks. */
    private static final int ROUNDS_BETWEEN_INTERRUPTS = 10;

    private final Prompts prompts;
    private final Duration look;
    private final Set<CountDownLatch> untold = ConcurrentHashMap.newKeySet();

    Leaving(Prompts prompts, Duration look) {
        this.prompts = prompts;
        this.look = look;
    }

    /** Begins to take a prompt back. @param taken whether the server is known to have taken it */
    void leave(String prompt, boolean taken) {
        var told = new CountDownLatch(1);
        untold.add(told);
        Thread.ofVirtual().name("imagen-comfyui-leave").start(() -> {
            try {
                leave(prompt, taken, told);
            } catch (InterruptedException e) {
                // Nobody does; the prompt is then drawn, and its picture stays with the server.
            } finally {
                told.countDown();
                untold.remove(told);
            }
        });
    }

    /**
     * What waits is deleted. It may have begun meanwhile; then it is interrupted, and looked at again, since an
     * interrupt that comes in the very moment of the beginning is lost.
     */
    private void leave(String prompt, boolean taken, CountDownLatch told) throws InterruptedException {
        int absent = taken ? LOOKS_BEFORE_UNKNOWN - 1 : 0;
        int interrupted = -ROUNDS_BETWEEN_INTERRUPTS;
        for (int round = 0; round < ROUNDS && absent < LOOKS_BEFORE_UNKNOWN; round++) {
            if (round > 0) {
                // Its socket may be what broke: only the lists of prompts tell.
                Thread.sleep(look);
            }
            try {
                prompts.delete(prompt);
                var standing = prompts.standing(prompt);
                if (standing == Standing.ABSENT) {
                    absent++;
                } else if (standing == Standing.RUNNING && round - interrupted >= ROUNDS_BETWEEN_INTERRUPTS) {
                    prompts.interrupt(prompt);
                    interrupted = round;
                    told.countDown();
                }
            } catch (JobFailedException e) {
                // Asked again as long as it makes sense.
            }
        }
    }

    /** Waits until the server was told of all, at most so long. */
    void awaitTold(Duration longest) throws InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        for (CountDownLatch told : untold) {
            told.await(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
    }
}
