package dev.imagen.worker;

import dev.imagen.config.WorkerSettings;
import dev.imagen.queue.JobQueue.Offer;
import java.util.List;

/** How many more jobs this process may run, in all and of each backend. */
record Slots(WorkerSettings settings, RunningJobs running) {

    /** In all. */
    int free() {
        return settings.concurrency() - running.count();
    }

    /** The backends that there are free slots for. */
    List<Offer> offers(List<String> backends) {
        int free = free();
        return backends.stream().map(name -> new Offer(name, Math.min(free, settings.slots(name) - running.count(name)),
                settings.backend(name).concurrency())).filter(offer -> offer.free() > 0).toList();
    }
}
