package dev.imagen.api;

import dev.imagen.job.Job;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

/** Jobs as streams tell them, those that were told last: what thousands of streams tell is made once. */
final class StatusEvents {

    /** An event has some 256 KiB at most, and mostly one. */
    private static final int SLOTS = 32;

    private record Made(Job job, byte[] event) {}

    private final Function<Job, String> id;
    private final AtomicReferenceArray<Made> last = new AtomicReferenceArray<>(SLOTS);

    /** @param id of the event that tells a job as it stands */
    StatusEvents(Function<Job, String> id) {
        this.id = id;
    }

    /** @return not to be changed */
    byte[] of(Job job) {
        int slot = Math.floorMod(job.id().hashCode(), SLOTS);
        var made = last.get(slot);
        if (made == null || !made.job().equals(job)) {
            made = new Made(job, SseWriter.event("status", Optional.of(id.apply(job)), Json.bytes(JobJson.of(job))));
            last.set(slot, made);
        }
        return made.event();
    }
}
