package dev.imagen.queue;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.Row;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What an operator does to the whole queue: pause, resume, and limit what an owner may have pending. */
public final class QueueControl {

    private static final String PAUSED = """
            select * from imagen.pauses order by backend
            """;

    private static final String PAUSE = """
            select * from imagen.pause(?::text)
            """;

    private static final String RESUME = """
            select * from imagen.resume(?::text)
            """;

    private static final String LIMIT = """
            update imagen.limits set pending_per_owner = nullif(?::int, 0)
             where pending_per_owner is distinct from nullif(?::int, 0)
            """;

    private static final String BUDGET = """
            update imagen.limits set budget_usd = nullif(?::numeric, 0)
             where budget_usd is distinct from nullif(?::numeric, 0)
            """;

    private final Database database;

    /** The queue of this database. */
    public QueueControl(Database database) {
        this.database = database;
    }

    /** @param backend that nothing is claimed of; empty: of none */
    public record Pause(Optional<String> backend, Instant since) {}

    /** What is paused. */
    public List<Pause> paused(Caller operator) {
        return database.query(operator, PAUSED, QueueControl::pause);
    }

    /** Claims nothing new of a backend, or of any. @return what is paused now */
    public List<Pause> pause(Caller operator, Optional<String> backend) {
        return database.as(operator, session -> session.query(PAUSE, QueueControl::pause, backend.orElse(null)));
    }

    /** Claims of a backend again; empty: ends every pause. @return what is still paused */
    public List<Pause> resume(Caller operator, Optional<String> backend) {
        return database.as(operator, session -> session.query(RESUME, QueueControl::pause, backend.orElse(null)));
    }

    private static Pause pause(Row row) {
        return new Pause(Optional.of(row.text("backend")).filter(name -> !name.isEmpty()), row.instant("paused_at"));
    }

    /** @param jobs that an owner may have pending at a time; 0: any number */
    public void limitPending(int jobs) {
        database.update(LIMIT, jobs, jobs);
    }

    /** @param dollars that an owner may spend in a month (UTC); 0: any amount */
    public void limitSpending(BigDecimal dollars) {
        database.update(BUDGET, dollars, dollars);
    }
}
