package dev.imagen.queue;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.Row;
import dev.imagen.job.Job;
import dev.imagen.job.JobAttempt;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import dev.imagen.job.TimeOrderedId;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Jobs as a caller may see and change them: every statement runs as the caller's role, so that row-level security
 * decides. Throws {@link DatabaseException}, {@code refused()} where the server said no.
 */
public final class OwnedJobs {

    private static final String INSERT = """
            insert into imagen.jobs (id, owner_user_id, prompt, negative_prompt, backend, model, style, width, height,
                                     steps, seed, priority, run_at, max_attempts, idempotency_key, params,
                                     count, input_image_id, strength, traceparent)
            values (?::uuid, ?::uuid, ?, ?, ?, ?, ?, ?::int, ?::int, ?::int, ?::bigint,
                    ?::smallint, coalesce(?::timestamptz, now()), ?::smallint, ?, ?::jsonb,
                    ?::smallint, ?::uuid, ?::double precision, ?)
            on conflict do nothing
            returning *
            """;

    /** No client column: the trigger takes it from this setting. */
    private static final String INSERT_WITH_KEY = """
            select set_config('imagen.request_hash', ?, true);
            """ + INSERT;

    private static final String BY_ID = """
            select * from imagen.jobs where id = ?::uuid
            """;

    private static final String BY_KEY = """
            select *, request_hash is not distinct from decode(?, 'hex') as same_request
              from imagen.jobs where owner_user_id = ?::uuid and idempotency_key = ?
            """;

    private static final String FIND = """
            select j.*, case when j.status = 'pending' then imagen.job_position(j.id) end as place,
            """ + AttemptRows.COLUMN + """
                as attempts
              from imagen.jobs j where j.id = ?::uuid
            """;

    private static final String LIST = """
            select * from imagen.jobs
             where owner_user_id = ?::uuid and (?::text is null or status = ?)
               and (created_at, id) < (?::timestamptz, ?::uuid)
             order by created_at desc, id desc limit ?
            """;

    private static final String UNFINISHED = """
            select * from imagen.jobs
             where owner_user_id = ?::uuid and status in ('pending', 'running') and id > ?::uuid
             order by owner_user_id, id limit ?
            """;

    private static final String FINISHED = """
            select * from imagen.jobs
             where owner_user_id = ?::uuid and status in ('done', 'failed', 'cancelled')
               and (updated_at, id) > (?::timestamptz, ?::uuid)
             order by owner_user_id, updated_at, id limit ?
            """;

    private static final UUID FIRST_ID = new UUID(0, 0);

    private static final String CANCEL = """
            select * from imagen.cancel_job(?::uuid)
            """;

    private static final String RETRY = """
            select * from imagen.retry_job(?::uuid)
            """;

    private final Database database;

    /** Jobs of this database. */
    public OwnedJobs(Database database) {
        this.database = database;
    }

    /**
     * @param id chosen by the client; empty: a new one
     * @param owner whose the job is
     * @param traceparent the span that it belongs to; no part of what is asked for
     * @param requestHash of everything that was asked for: tells a repeated request from another one with the same key
     */
    public record Submission(Optional<UUID> id, UUID owner, NewJob job, Optional<String> idempotencyKey,
            Optional<String> traceparent, byte[] requestHash) {}

    /** What became of a submission. */
    public sealed interface Submitted {
        /** The job is new. */
        record Created(Job job) implements Submitted {}

        /** The same request came before; this is its job. */
        record Repeated(Job job) implements Submitted {}

        /** Another request came before with this idempotency key. */
        record KeyReused() implements Submitted {}

        /** A job with this id exists, perhaps another owner's. */
        record IdTaken() implements Submitted {}
    }

    /**
     * @param place in line, from 1, while pending
     * @param attempts the oldest first, the running one last
     */
    public record Found(Job job, Optional<Long> place, List<JobAttempt> attempts) {}

    /** A place in a list that goes from new to old. */
    public record Cursor(OffsetDateTime createdAt, UUID id) {

        /** Before the newest; the driver writes this time as infinity. */
        public static final Cursor START = new Cursor(OffsetDateTime.MAX, new UUID(-1, -1));

        /** The place of a row. */
        public static Cursor of(Instant createdAt, UUID id) {
            return new Cursor(createdAt.atOffset(ZoneOffset.UTC), id);
        }
    }

    /** Inserts a job. */
    public Submitted submit(Caller caller, Submission submission) {
        if (submission.idempotencyKey().isPresent()) {
            return submitOnce(caller, submission, submission.idempotencyKey().get());
        }
        return submission.id().isPresent()
                ? submitAs(caller, submission, submission.id().get())
                : submitNew(caller, submission, TimeOrderedId.next());
    }

    private Submitted submitOnce(Caller caller, Submission submission, String key) {
        var hash = HexFormat.of().formatHex(submission.requestHash());
        var id = submission.id().orElseGet(TimeOrderedId::next);
        return database
                .one(caller, INSERT_WITH_KEY, JobRows::job,
                        Stream.concat(Stream.of(hash), columns(id, submission)).toArray())
                .<Submitted>map(Submitted.Created::new)
                .orElseGet(() -> database.one(caller, BY_KEY, OwnedJobs::earlier, hash, submission.owner(), key)
                        .orElseGet(Submitted.IdTaken::new));
    }

    /** In steps of which the first one finds a dead connection: run twice, it would meet a job of its own. */
    private Submitted submitAs(Caller caller, Submission submission, UUID id) {
        return database.as(caller, session -> session.one(INSERT, JobRows::job, columns(id, submission).toArray()))
                .<Submitted>map(Submitted.Created::new).orElseGet(Submitted.IdTaken::new);
    }

    /** Nobody else has this id: where it is taken, the connection died after the job was inserted. */
    private Submitted submitNew(Caller caller, Submission submission, UUID id) {
        return database.one(caller, INSERT, JobRows::job, columns(id, submission).toArray())
                .or(() -> database.one(caller, BY_ID, JobRows::job, id)).<Submitted>map(Submitted.Created::new)
                .orElseGet(Submitted.IdTaken::new);
    }

    /** All as text, the same type in every job: a null of no type would cost the driver a question to the server. */
    private static Stream<Object> columns(UUID id, Submission submission) {
        var job = submission.job();
        return Stream
                .of(Optional.of(id), Optional.of(submission.owner()), Optional.of(job.prompt()), job.negativePrompt(),
                        job.backend(), job.model(), job.style(), job.width(), job.height(), job.steps(), job.seed(),
                        Optional.of(job.priority()), job.runAt(), Optional.of(job.maxAttempts()),
                        submission.idempotencyKey(), Optional.ofNullable(Params.json(job.params())),
                        Optional.of(job.count()), job.inputImageId(), job.strength(), submission.traceparent())
                .map(value -> value.map(String::valueOf).orElse(null));
    }

    private static Submitted earlier(Row row) {
        return row.flag("same_request") ? new Submitted.Repeated(JobRows.job(row)) : new Submitted.KeyReused();
    }

    /** One job; empty for an unknown or foreign id. */
    public Optional<Found> find(Caller caller, UUID id) {
        return database.one(caller, FIND, OwnedJobs::found, id);
    }

    private static Found found(Row row) {
        return new Found(JobRows.job(row), row.optionalWhole("place"),
                AttemptRows.attempts(row.optionalText("attempts")));
    }

    /** Up to {@code limit} jobs of an owner, newest first, after the cursor. */
    public List<Job> list(Caller caller, UUID owner, Optional<JobStatus> status, Cursor after, int limit) {
        var text = status.map(JobStatus::text).orElse(null);
        return database.query(caller, LIST, JobRows::job, owner, text, text, after.createdAt(), after.id(), limit);
    }

    /** Up to {@code limit} jobs that are not finished, by id, after this one; empty: from the first. */
    public List<Job> unfinished(Caller caller, UUID owner, Optional<UUID> after, int limit) {
        return database.query(caller, UNFINISHED, JobRows::job, owner, after.orElse(FIRST_ID), limit);
    }

    /** Up to {@code limit} jobs that finished after this time, or at it with a higher id, earliest first. */
    public List<Job> finished(Caller caller, UUID owner, Instant since, Optional<UUID> after, int limit) {
        return database.query(caller, FINISHED, JobRows::job, owner, since.atOffset(ZoneOffset.UTC),
                after.orElse(FIRST_ID), limit);
    }

    /** Cancels, or asks the worker to stop; empty for an unknown or foreign id. */
    public Optional<Job> cancel(Caller caller, UUID id) {
        return change(caller, CANCEL, id);
    }

    /**
     * Makes a failed or cancelled job pending again; empty for an unknown or foreign id.
     *
     * @throws DatabaseException with state PT409 when it is neither
     */
    public Optional<Job> retry(Caller caller, UUID id) {
        return change(caller, RETRY, id);
    }

    private Optional<Job> change(Caller caller, String sql, UUID id) {
        try {
            return database.as(caller, session -> session.one(sql, JobRows::job, id));
        } catch (DatabaseException e) {
            if (e.state().equals("PT404")) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
