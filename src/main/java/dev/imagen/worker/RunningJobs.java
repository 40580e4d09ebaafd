package dev.imagen.worker;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** The attempts of this process, from the claim until their outcome is recorded. */
final class RunningJobs {

    private final Map<UUID, RunningJob> byId = new ConcurrentHashMap<>();

    void add(RunningJob job) {
        byId.put(job.job().id(), job);
    }

    synchronized void remove(RunningJob job) {
        // Not what a later attempt of the same job put there.
        byId.remove(job.job().id(), job);
        notifyAll();
    }

    int count() {
        return byId.size();
    }

    /** How many of them are a backend's. */
    int count(String backend) {
        return (int) byId.values().stream().filter(running -> running.backend().equals(backend)).count();
    }

    Set<UUID> ids() {
        return Set.copyOf(byId.keySet());
    }

    Collection<RunningJob> all() {
        return byId.values();
    }

    boolean runsAny(Collection<UUID> ids) {
        return ids.stream().anyMatch(byId::containsKey);
    }

    /** Stops these attempts, and no later ones of the same jobs: what says so may be old news. */
    void stop(Map<UUID, Integer> attempts, StopReason reason) {
        attempts.forEach((id, attempt) -> {
            var running = byId.get(id);
            if (running != null && running.job().attempt() == attempt) {
                running.stop(reason);
            }
        });
    }

    /** @return how many had not ended yet */
    int stopAll(StopReason reason) {
        return (int) byId.values().stream().filter(running -> running.stop(reason)).count();
    }

    /** @return whether none is left */
    synchronized boolean awaitNone(long millis) throws InterruptedException {
        long deadline = System.nanoTime() + millis * 1_000_000;
        while (!byId.isEmpty()) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }
}
