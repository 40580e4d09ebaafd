package dev.imagen.queue;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.Row;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** The processes that work on the queue, and what each of them runs. For operators. */
public final class Workers {

    private static final String WORKERS = """
            select id, name, backends, started_at, heartbeat_at, alive
              from imagen.workers
             cross join lateral (select heartbeat_at > now() - ? * interval '1 millisecond' as alive) as lease
             order by alive desc, started_at desc, id
            """;

    /** Steps as where they are streamed: those of an earlier attempt may still be there. */
    private static final String RUNNING = """
            select j.worker_id, j.id, j.attempt, j.backend, j.model, j.owner_user_id, j.started_at, p.step, p.steps
              from imagen.jobs j
              left join imagen.job_progress p on p.job_id = j.id and p.updated_at >= j.started_at
             where j.status = 'running' and j.worker_id is not null
             order by j.started_at, j.id
            """;

    private final Database database;
    private final long lease;

    /** @param lease a worker is dead this long after its last heartbeat, by the database's clock */
    public Workers(Database database, Duration lease) {
        this.database = database;
        this.lease = lease.toMillis();
    }

    /**
     * A process.
     *
     * @param backends what it offers, the default first
     * @param alive false: its lease has run out, and others take its jobs back
     * @param running the longest running first
     */
    public record Worker(UUID id, String name, List<String> backends, Instant startedAt, Instant heartbeatAt,
            boolean alive, List<Running> running) {}

    /**
     * A job that a process runs.
     *
     * @param step steps finished, of {@code steps}; empty before the first is known
     */
    public record Running(UUID jobId, int attempt, String backend, Optional<String> model, UUID owner,
            Instant startedAt, Optional<Integer> step, Optional<Integer> steps) {}

    /** Those alive first, and of these the newest. */
    public List<Worker> list(Caller operator) {
        return database.as(operator, session -> {
            Map<UUID, List<Running>> running = session
                    .query(RUNNING, row -> Map.entry(row.uuid("worker_id"), running(row))).stream()
                    .collect(groupingBy(Map.Entry::getKey, mapping(Map.Entry::getValue, toList())));
            return session.query(WORKERS, row -> worker(row, running.getOrDefault(row.uuid("id"), List.of())), lease);
        });
    }

    private static Worker worker(Row row, List<Running> running) {
        return new Worker(row.uuid("id"), row.text("name"), row.list("backends", String.class),
                row.instant("started_at"), row.instant("heartbeat_at"), row.flag("alive"), running);
    }

    private static Running running(Row row) {
        return new Running(row.uuid("id"), row.integer("attempt"), row.text("backend"), row.optionalText("model"),
                row.uuid("owner_user_id"), row.instant("started_at"), row.optionalInteger("step"),
                row.optionalInteger("steps"));
    }
}
