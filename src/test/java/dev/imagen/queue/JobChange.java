package dev.imagen.queue;

import dev.imagen.job.JobStatus;
import dev.imagen.queue.Answer.Attempt;
import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * One update of a job's row, as a trigger saw it.
 *
 * @param attempt after the change
 * @param attempts by how many it rose
 * @param failures after the change
 * @param failed by how many they rose; negative where a retry forgave them
 * @param held whether a worker is named after the change
 * @param versions by how many the version rose
 * @param visible whether a watcher is to see it
 */
record JobChange(int job, Optional<String> backend, JobStatus from, JobStatus to, int attempt, int attempts,
        int failures, int failed, int maxAttempts, boolean held, long versions, boolean visible) {

    private static final String[] REMEMBER = {
            "create table public.history (id bigint generated always as identity, old imagen.jobs, new imagen.jobs)",
            """
                    create function public.remember() returns trigger language plpgsql security definer as $$
                    begin
                        insert into public.history (old, new) values (old, new);
                        return null;
                    end
                    $$
                    """,
            "create trigger remember after update on imagen.jobs for each row execute function public.remember()"};

    private static final String READ = """
            select (new).id, (new).backend, (old).status as "from", (new).status as "to", (new).attempt,
                   (new).attempt - (old).attempt as attempts, (new).failures::int,
                   (new).failures - (old).failures as failed, (new).max_attempts::int,
                   (new).worker_id is not null as held, (new).version - (old).version as versions,
                   ((old).status, (old).attempt, (old).error, (old).cancel_requested_at)
                       is distinct from ((new).status, (new).attempt, (new).error, (new).cancel_requested_at) as visible
              from public.history order by history.id
            """;

    /** Has a database remember changes. */
    static void remember(TestDatabase database) throws SQLException {
        database.execute(REMEMBER);
    }

    static void forget(Connection operator) throws SQLException {
        try (var statement = operator.createStatement()) {
            statement.execute("delete from public.history");
        }
    }

    /** All changes; those of a job are in their order, as each was made under its row's lock. */
    static List<JobChange> read(Connection operator) throws SQLException {
        try (var statement = operator.createStatement(); var result = statement.executeQuery(READ)) {
            return TestDatabase.rows(result).stream().map(JobChange::of).toList();
        }
    }

    private static JobChange of(Map<String, Object> row) {
        return new JobChange(Cast.number((UUID) row.get("id")), Optional.ofNullable((String) row.get("backend")),
                status(row.get("from")), status(row.get("to")), (int) row.get("attempt"), (int) row.get("attempts"),
                (int) row.get("failures"), (int) row.get("failed"), (int) row.get("max_attempts"),
                (boolean) row.get("held"), (long) row.get("versions"), (boolean) row.get("visible"));
    }

    private static JobStatus status(Object text) {
        return JobStatus.of((String) text).orElseThrow();
    }

    /** The attempt that began, ended or only changed by it. */
    Attempt ofAttempt() {
        return new Attempt(job, attempt);
    }

    boolean begins() {
        return from == JobStatus.PENDING && to == JobStatus.RUNNING;
    }

    boolean ends() {
        return from == JobStatus.RUNNING && to != JobStatus.RUNNING;
    }

    /** Whether an attempt that ended like this ends so. */
    boolean goesWith(String outcome) {
        return (to == JobStatus.DONE) == outcome.equals("done")
                && (failed == 1) == (outcome.equals("failed") || outcome.equals("rescued"));
    }

    /** Whether docs/architecture.md knows such a move. */
    boolean legal() {
        if (from == to) {
            return attempts == 0 && failed == 0;
        }
        return switch (from) {
            case PENDING -> switch (to) {
                case RUNNING -> attempts == 1 && failed == 0 && held;
                case FAILED, CANCELLED -> attempts == 0 && failed == 0;
                case PENDING, DONE -> false;
            };
            case RUNNING -> attempts == 0 && held == (to != JobStatus.PENDING) && switch (to) {
                case DONE -> failed == 0;
                case FAILED -> failed == 1;
                case PENDING, CANCELLED -> failed == 0 || failed == 1;
                case RUNNING -> false;
            };
            case FAILED, CANCELLED -> to == JobStatus.PENDING && attempts == 0 && failures == 0 && !held;
            case DONE -> false;
        };
    }

    @Override
    public String toString() {
        return "%s: %s -> %s, %d failures, version +%d".formatted(ofAttempt(), from, to, failures, versions);
    }
}
