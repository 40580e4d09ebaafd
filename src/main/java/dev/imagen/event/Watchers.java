package dev.imagen.event;

import static java.util.stream.Collectors.toSet;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Who watches what: one job, or all jobs of an owner. */
final class Watchers {

    private final Map<UUID, Set<Watcher>> byJob = new ConcurrentHashMap<>();
    private final Map<UUID, Set<Watcher>> byOwner = new ConcurrentHashMap<>();

    void addJob(UUID job, Watcher watcher) {
        add(byJob, job, watcher);
    }

    void addOwner(UUID owner, Watcher watcher) {
        add(byOwner, owner, watcher);
    }

    void removeJob(UUID job, Watcher watcher) {
        remove(byJob, job, watcher);
    }

    void removeOwner(UUID owner, Watcher watcher) {
        remove(byOwner, owner, watcher);
    }

    private static void add(Map<UUID, Set<Watcher>> map, UUID key, Watcher watcher) {
        map.compute(key, (_, set) -> {
            var watchers = set == null ? ConcurrentHashMap.<Watcher>newKeySet() : set;
            watchers.add(watcher);
            return watchers;
        });
    }

    private static void remove(Map<UUID, Set<Watcher>> map, UUID key, Watcher watcher) {
        map.computeIfPresent(key, (_, watchers) -> {
            watchers.remove(watcher);
            return watchers.isEmpty() ? null : watchers;
        });
    }

    boolean none() {
        return byJob.isEmpty() && byOwner.isEmpty();
    }

    /** Whether a change of this job could interest anyone; its owner is not known before it is read. */
    boolean mayWatch(UUID job) {
        return !byOwner.isEmpty() || byJob.containsKey(job);
    }

    Set<UUID> jobs() {
        return Set.copyOf(byJob.keySet());
    }

    Set<UUID> owners() {
        return Set.copyOf(byOwner.keySet());
    }

    /** Jobs of which somebody hears progress. */
    Set<UUID> jobsInProgress() {
        return keys(byJob);
    }

    /** Owners of whose jobs somebody hears progress. */
    Set<UUID> ownersInProgress() {
        return keys(byOwner);
    }

    private static Set<UUID> keys(Map<UUID, Set<Watcher>> map) {
        return map.entrySet().stream().filter(entry -> progress(entry.getValue())).map(Map.Entry::getKey)
                .collect(toSet());
    }

    /** Whether anybody hears progress of this job. */
    boolean watchProgress(UUID job, UUID owner) {
        return progress(byJob.getOrDefault(job, Set.of())) || progress(byOwner.getOrDefault(owner, Set.of()));
    }

    private static boolean progress(Set<Watcher> watchers) {
        return watchers.stream().anyMatch(Watcher::watchesProgress);
    }

    void tell(UUID job, UUID owner, Consumer<Watcher> news) {
        byJob.getOrDefault(job, Set.of()).forEach(news);
        byOwner.getOrDefault(owner, Set.of()).forEach(news);
    }

    void tellAll(Consumer<Watcher> news) {
        List<Watcher> all = Stream.of(byJob, byOwner).flatMap(map -> map.values().stream()).flatMap(Set::stream)
                .toList();
        all.forEach(news);
    }

    int count() {
        return Stream.of(byJob, byOwner).flatMap(map -> map.values().stream()).mapToInt(Set::size).sum();
    }
}
