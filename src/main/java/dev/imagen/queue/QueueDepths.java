package dev.imagen.queue;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.Row;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What is in the whole queue now, for operators. */
public final class QueueDepths {

    private static final String DEPTHS = """
            select * from imagen.queue_depths()
            """;

    private static final String PAUSED = """
            select backend from imagen.pauses
            """;

    private static final String EVERYTHING = "";

    private final Database database;
    private final String defaultBackend;

    /** @param defaultBackend where jobs go that name none */
    public QueueDepths(Database database, String defaultBackend) {
        this.database = database;
        this.defaultBackend = defaultBackend;
    }

    /**
     * Of one backend, or of all.
     *
     * @param backend empty: jobs that name none, or all of them
     * @param pending jobs that are due
     * @param scheduled pending jobs whose time has not come
     * @param oldestSeconds how long the first of the due ones has waited; empty: none is due
     * @param paused whether nothing of it is claimed
     */
    public record Depth(Optional<String> backend, long pending, long scheduled, long running,
            Optional<Double> oldestSeconds, boolean paused) {}

    /** @param backends those that have jobs, are paused or are offered, by name */
    public record Now(List<Depth> backends, Depth total) {}

    /** One read of what is pending and running, however much is finished. */
    public Now now(Caller operator) {
        return database.as(operator, session -> {
            var paused = new HashSet<>(session.query(PAUSED, row -> row.text("backend")));
            var backends = session.query(DEPTHS, row -> depth(row, paused));
            return new Now(backends, total(backends, paused.contains(EVERYTHING)));
        });
    }

    private Depth depth(Row row, Set<String> paused) {
        var name = Optional.of(row.text("backend")).filter(text -> !text.isEmpty());
        return new Depth(name, row.whole("pending"), row.whole("scheduled"), row.whole("running"),
                row.optionalDouble("oldest_seconds"),
                paused.contains(EVERYTHING) || paused.contains(name.orElse(defaultBackend)));
    }

    private static Depth total(List<Depth> backends, boolean paused) {
        return new Depth(Optional.empty(), backends.stream().mapToLong(Depth::pending).sum(),
                backends.stream().mapToLong(Depth::scheduled).sum(), backends.stream().mapToLong(Depth::running).sum(),
                backends.stream().flatMap(depth -> depth.oldestSeconds().stream()).max(Comparator.naturalOrder()),
                paused);
    }
}
