package dev.imagen.chaos;

import dev.imagen.chaos.LedgerChecks.Check;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes down every move of every job as PostgreSQL makes it, in the same transaction, and afterwards holds the story
 * against the rules. It lives in a schema of its own.
 */
final class Ledger {

    private static final int EXAMPLES = 5;

    private static final String SCHEMA = """
            create schema ledger;

            create table ledger.moves (
                id           bigint generated always as identity primary key,
                job_id       uuid not null,
                old_status   text,
                new_status   text not null,
                old_attempt  int,
                new_attempt  int not null,
                old_worker   uuid,
                new_worker   uuid,
                old_failures int,
                new_failures int not null,
                error        text,
                run_at       timestamptz not null,
                heartbeat_at timestamptz,
                process      text not null default current_setting('application_name'),
                at           timestamptz not null default clock_timestamp()
            );
            create index on ledger.moves (job_id, id);

            -- Whoever moves a job fires it: it writes with the rights of its owner. The heartbeat is that of the worker
            -- whose job this was; a move of one job comes after the one before it, because it holds the job's row.
            create function ledger.write() returns trigger
            language plpgsql security definer set search_path = '' as $$
            begin
                insert into ledger.moves (job_id, old_status, new_status, old_attempt, new_attempt, old_worker,
                                          new_worker, old_failures, new_failures, error, run_at, heartbeat_at)
                values (new.id, old.status, new.status, old.attempt, new.attempt, old.worker_id, new.worker_id,
                        old.failures, new.failures, new.error, new.run_at,
                        (select w.heartbeat_at from imagen.workers w where w.id = old.worker_id));
                return null;
            end
            $$;

            create trigger ledger_insert after insert on imagen.jobs for each row execute function ledger.write();
            create trigger ledger_update after update on imagen.jobs for each row
                when ((old.status, old.attempt, old.worker_id) is distinct from (new.status, new.attempt, new.worker_id))
                execute function ledger.write();

            create view ledger.story as
            select m.*, interval '%d milliseconds' as lease,
                   case when old_status is null then 'insert'
                        when old_status = 'pending' and new_status = 'running' then 'claim'
                        when old_status = 'running' and new_failures = old_failures + 1
                             and error like 'the worker stopped during attempt %%' then 'rescue'
                        when old_status = 'running' then 'end'
                        else 'other' end as kind,
                   lag(new_status) over job as last_status, lag(new_attempt) over job as last_attempt,
                   lag(new_worker) over job as last_worker, lag(process) over job as last_process,
                   lag(at) over job as last_at
              from ledger.moves m
            window job as (partition by job_id order by id);
            """;

    private static final String STORY = """
            select to_char(at, 'HH24:MI:SS.MS') as at, process, kind, old_status, new_status, new_attempt as attempt,
                   new_failures as failures, coalesce(new_worker, old_worker) as worker, run_at, heartbeat_at, error
              from ledger.story where job_id = ?::uuid order by id
            """;

    private static final String SUMMARY = """
            select (select count(*) from imagen.jobs) as jobs,
                   (select count(*) from imagen.jobs where status = 'done') as done,
                   count(*) filter (where kind = 'claim') as claims, count(*) filter (where kind = 'rescue') as rescues,
                   count(*) filter (where kind = 'end' and new_status = 'pending') as given_back
              from ledger.story
            """;

    private final Sql sql;
    private final ImageFiles files;

    private Ledger(Sql sql, ImageFiles files) {
        this.sql = sql;
        this.files = files;
    }

    /** Begins to write; the schema of the service is there, and no job yet. */
    static Ledger install(Sql superuser, ImageFiles files, Duration lease) throws SQLException {
        superuser.execute(SCHEMA.formatted(lease.toMillis()));
        return new Ledger(superuser, files);
    }

    /**
     * Every rule that is broken, with examples and the stories of their jobs; empty when all is well. To be asked when
     * no process runs any more.
     *
     * @param orphans whether a file may be there without a row
     */
    List<String> violations(boolean orphans) throws SQLException, IOException {
        var violations = new ArrayList<String>();
        for (Check check : LedgerChecks.ALL) {
            var offenders = sql.rows(check.offenders());
            if (!offenders.isEmpty()) {
                violations.add(violation(check.rule(), offenders));
            }
        }
        violations.addAll(files.violations(sql));
        if (!orphans && !files.orphans(sql).isEmpty()) {
            violations.add("a file without a row is left by a crash only: " + files.orphans(sql));
        }
        return violations;
    }

    private String violation(String rule, List<Map<String, Object>> offenders) throws SQLException {
        var text = new StringBuilder(rule + ", but " + offenders.size() + " rows say otherwise:");
        for (var offender : offenders.subList(0, Math.min(EXAMPLES, offenders.size()))) {
            text.append("\n  ").append(offender);
            for (var move : sql.rows(STORY, offender.get("job_id"))) {
                text.append("\n      ").append(move);
            }
        }
        return text.toString();
    }

    /** What happened, in numbers. */
    String summary() throws SQLException, IOException {
        return sql.row(SUMMARY) + ", files without a row: " + files.orphans(sql).size();
    }
}
