package dev.imagen.database;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A schema {@code imagen} that no migration made: that of the worker ImaGen grew out of, with its own
 * {@code imagen.jobs}. It is taken over in three steps, each safe to repeat: the whole schema gets another name, so
 * that nothing in it is lost; the migrations make the new one; its rows are copied. The last step is one transaction,
 * which also makes the table {@code left_behind}: until that is there the takeover is not done.
 */
final class FormerSchema {

    private static final String STATE = """
            select bool_or(n.nspname = 'imagen' and c.relname = 'jobs')
                   and not bool_or(n.nspname = 'imagen' and c.relname = 'flyway_schema_history') as here,
                   bool_or(n.nspname = 'imagen_before') as aside,
                   bool_or(n.nspname = 'imagen_before' and c.relname = 'jobs')
                   and not bool_or(n.nspname = 'imagen_before' and c.relname = 'left_behind') as unfinished
              from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname in ('imagen', 'imagen_before')
            """;

    /** By whichever of these times the table has. */
    private static final String STILL_RUNNING = """
            select count(*) as jobs
              from imagen.jobs j
             cross join lateral (
                select greatest((to_jsonb(j) ->> 'started_at')::timestamptz, (to_jsonb(j) ->> 'updated_at')::timestamptz)
                    as at) as moved
             where j.status::text = 'running' and (moved.at is null or moved.at > now() - interval '10 minutes')
            """;

    private static final String LEFT_BEHIND = """
            select of_table, reason, count(*) as number, min(row_id) as first
              from imagen_before.left_behind group by of_table, reason order by 1, 3 desc, 2 limit 20
            """;

    private static final String COPIED = """
            select (select count(*) from imagen_before.jobs) as jobs,
                   (select count(*) from imagen_before.left_behind where of_table = 'jobs') as left_jobs,
                   (select count(*) from imagen_before.jobs where status::text = 'running') as running,
                   (select count(*) from imagen.images) as images
            """;

    private final Connection connection;

    /** @param connection of the login that owns both schemas; in no transaction */
    FormerSchema(Connection connection) {
        this.connection = connection;
    }

    /** @throws MigrationException where there is one that is not taken over: says what to type */
    void refuse() throws SQLException {
        if (is("here")) {
            throw new MigrationException("the schema imagen has a table jobs that no migration of this program made,"
                    + " such as that of an earlier worker. To keep its rows: stop that worker, make a backup, then run"
                    + " imagen migrate --take-over; docs/backup.md says what becomes of them", null);
        }
        if (is("unfinished")) {
            throw new MigrationException("an earlier imagen migrate --take-over did not end: run it again", null);
        }
    }

    /** Gives the schema the name {@code imagen_before}. Does nothing where there is none to be taken over. */
    void moveAside() throws SQLException {
        if (!is("here")) {
            return;
        }
        if (is("aside")) {
            throw new MigrationException("there is a schema imagen_before already, which the former tables would be"
                    + " moved to: give it another name first (alter schema imagen_before rename to …)", null);
        }
        inTransaction(() -> {
            // No writer is left in it, and none comes: whoever waits for the lock finds no such table afterwards.
            execute("set local lock_timeout = '5s'");
            execute("lock table imagen.jobs in access exclusive mode");
            refuseWhileRunning();
            execute("alter schema imagen rename to imagen_before");
        });
    }

    private void refuseWhileRunning() throws SQLException {
        execute("set local timezone = 'UTC'");
        long running = query(STILL_RUNNING, row -> row.whole("jobs")).getFirst();
        if (running > 0) {
            throw new MigrationException(
                    running + " jobs of the former table are running, and began within the last ten"
                            + " minutes: stop the worker that runs them first. If it is stopped, say so with"
                            + " update imagen.jobs set status = 'pending' where status = 'running', and run this again",
                    null);
        }
    }

    /**
     * Copies the rows into the migrated schema, unless that was done before.
     *
     * @return what became of them, for people; empty where there was nothing to do
     */
    List<String> copy() throws SQLException {
        if (!is("unfinished")) {
            return List.of();
        }
        var lines = new ArrayList<String>();
        inTransaction(() -> {
            execute("select pg_advisory_xact_lock(hashtext('imagen takeover'))");
            if (is("unfinished")) {
                execute(script());
                lines.addAll(report());
            }
        });
        return lines;
    }

    private List<String> report() throws SQLException {
        var lines = new ArrayList<>(query(COPIED,
                row -> "taken over: " + (row.whole("jobs") - row.whole("left_jobs")) + " of " + row.whole("jobs")
                        + " jobs (those that were running are pending now: " + row.whole("running") + "), "
                        + row.whole("images") + " images; the former tables are in the schema imagen_before"));
        lines.addAll(query(LEFT_BEHIND,
                row -> "left in imagen_before." + row.text("of_table") + ": " + row.whole("number") + ", because "
                        + row.text("reason") + " (the first: " + row.text("first")
                        + "); all are in imagen_before.left_behind"));
        return lines;
    }

    private boolean is(String state) throws SQLException {
        return query(STATE, row -> !row.isNull(state) && row.flag(state)).getFirst();
    }

    private interface Step {
        void run() throws SQLException;
    }

    private void inTransaction(Step step) throws SQLException {
        Connections.beginUnhurried(connection);
        try {
            step.run();
            connection.commit();
        } finally {
            // What is committed stays; a failure leaves nothing.
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    private <T> List<T> query(String sql, Function<Row, T> mapper) throws SQLException {
        return new Session(connection).query(sql, mapper);
    }

    private void execute(String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String script() {
        try (var stream = FormerSchema.class.getResourceAsStream("/takeover.sql")) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
