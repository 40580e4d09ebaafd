package dev.imagen.queue;

import dev.imagen.config.WorkerSettings;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.Row;
import dev.imagen.job.Job;
import dev.imagen.job.NewImage;
import dev.imagen.job.Outcome;
import dev.imagen.job.Usage;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The queue on PostgreSQL: each move is one statement of {@link JobSql}, or of {@link LeaseSql}. */
public final class PostgresJobQueue implements JobQueue {

    private final Database database;
    private final long lease;
    private final long unknown;
    private final WorkerSettings settings;
    private final boolean fair;
    private final OwnerTurns turns = new OwnerTurns();

    /** Oldest first; workers are dead {@code settings.lease()} after their last heartbeat. */
    public PostgresJobQueue(Database database, WorkerSettings settings) {
        this(database, settings, false);
    }

    /** @param fair whether owners take turns within a priority */
    public PostgresJobQueue(Database database, WorkerSettings settings, boolean fair) {
        this.database = database;
        this.fair = fair;
        this.lease = settings.lease().toMillis();
        this.unknown = settings.unknown().toMillis();
        this.settings = settings;
    }

    /** Declares every worker dead: for the embedded server, whose locked folder proves that no other process lives. */
    public void expireAll() {
        database.update(LeaseSql.EXPIRE_ALL);
    }

    @Override
    public void register(WorkerIdentity worker) {
        database.update(LeaseSql.REGISTER, worker.id(), worker.name(), worker.backends().toArray(String[]::new));
    }

    @Override
    public Renewal renew(UUID worker) {
        return database.one(LeaseSql.RENEW,
                row -> new Renewal(row.flag("alive"), cancels(row),
                        row.optionalWhole("next_expiry").map(Duration::ofMillis)),
                worker, lease, worker, lease, worker).orElseThrow();
    }

    private static Map<UUID, Integer> cancels(Row row) {
        return row.list("cancels", String.class).stream().map(text -> text.split("/"))
                .collect(Collectors.toMap(parts -> UUID.fromString(parts[0]), parts -> Integer.valueOf(parts[1])));
    }

    @Override
    public void leave(UUID worker) {
        database.update(LeaseSql.LEAVE, worker);
    }

    @Override
    public List<Job> claim(WorkerIdentity worker, List<Offer> offers, int limit) {
        var claim = claimStatement(worker, offers, limit);
        var jobs = database.query(claim.sql(), JobRows::job, claim.parameters());
        turns.served(jobs);
        return jobs;
    }

    record Statement(String sql, Object[] parameters) {}

    Statement claimStatement(WorkerIdentity worker, List<Offer> offers, int limit) {
        var parameters = lanes(worker, offers);
        if (fair) {
            parameters.add(turns.last());
        }
        parameters.addAll(Collections.nCopies(fair ? 7 : 2, limit));
        parameters.addAll(List.of(worker.id(), worker.defaultBackend(), worker.id(), lease));
        return new Statement(fair ? JobSql.CLAIM_FAIR : open(offers, limit) ? JobSql.CLAIM_OPEN : JobSql.CLAIM,
                parameters.toArray());
    }

    private static boolean open(List<Offer> offers, int limit) {
        return offers.stream().allMatch(offer -> offer.concurrency().isEmpty() && offer.free() >= limit);
    }

    @Override
    public Optional<Duration> untilNextDue(WorkerIdentity worker, List<Offer> offers) {
        return database.one(JobSql.NEXT_DUE, row -> row.optionalWhole("millis"), lanes(worker, offers).toArray())
                .flatMap(millis -> millis).map(millis -> Duration.ofMillis(Math.max(0, millis)));
    }

    /** The four arrays of {@code offer}: jobs that name no backend are in the lane of the empty name. */
    private static List<Object> lanes(WorkerIdentity worker, List<Offer> offers) {
        var names = new ArrayList<String>();
        var lanes = new ArrayList<Offer>();
        for (Offer offer : offers) {
            names.add(offer.backend());
            lanes.add(offer);
            if (offer.backend().equals(worker.defaultBackend())) {
                names.add("");
                lanes.add(offer);
            }
        }
        return new ArrayList<>(List.of(column(names, name -> name), column(lanes, Offer::backend),
                column(lanes, Offer::free), column(lanes, offer -> offer.concurrency().orElse(0))));
    }

    @Override
    public Settled settle(Job job, Outcome outcome) {
        return switch (outcome) {
            case Outcome.Done done -> finishOrFail(job, done);
            case Outcome.Failed failed -> fail(job, failed);
            case Outcome.Cancelled cancelled ->
                leaveRunning(JobSql.CANCEL, job, new Ending("cancelled", null, cancelled.usage()));
            case Outcome.HandedBack back ->
                leaveRunning(JobSql.HAND_BACK, job, new Ending("handed_back", null, back.usage()));
        };
    }

    /** An image row that the server refuses would be refused for ever: the job fails, and its files are not kept. */
    private Settled finishOrFail(Job job, Outcome.Done done) {
        try {
            return finish(job, done);
        } catch (DatabaseException e) {
            if (!e.refused()) {
                throw e;
            }
            fail(job, new Outcome.Failed("the image could not be recorded: " + e.serverMessage(), false,
                    Optional.empty(), done.usage()));
            return Settled.REFUSED;
        }
    }

    private Settled finish(Job job, Outcome.Done done) {
        boolean written = !finish(JobSql.FINISH, List.of(new Finish(job, done))).isEmpty()
                || database.one(JobSql.FINISHED_BY_US, _ -> true, job.id(), worker(job), job.attempt()).isPresent();
        return written ? Settled.WRITTEN : Settled.REFUSED;
    }

    @Override
    public Set<UUID> finish(List<Finish> ended) {
        return finish(JobSql.FINISH_FREE, ended);
    }

    private Set<UUID> finish(String sql, List<Finish> ended) {
        return Set.copyOf(database.query(sql, row -> row.uuid("id"), FinishRecords.json(ended)));
    }

    private Settled fail(Job job, Outcome.Failed failed) {
        int failure = job.failures() + 1;
        int limit = job.request().maxAttempts();
        // PostgreSQL has no NUL in text, and a terminal row must always be writable.
        var message = failed.error().replace("\0", "");
        var error = failed.retryable() ? message + " (attempt " + failure + " of " + limit + ")" : message;
        return settle(JobSql.FAIL, new Ending("failed", error, failed.usage()), job.id(), worker(job), job.attempt(),
                failed.retryable(), error, backoff(job).before(failure + 1, failed.retryAfter()).toMillis());
    }

    private Backoff backoff(Job job) {
        return new Backoff(settings.backoff(job.request().backend().orElse("")));
    }

    private Settled leaveRunning(String sql, Job job, Ending ending) {
        return settle(sql, ending, job.id(), worker(job), job.attempt());
    }

    /** What the record of an attempt says. */
    private record Ending(String outcome, String error, Optional<Usage> usage) {

        Stream<Object> parameters() {
            var spent = usage
                    .map(used -> Stream.<Object>of(used.backend(), used.model(), outcome, used.images(),
                            used.megapixels(), used.duration().toMillis(), used.metered().inputTokens().orElse(null),
                            used.metered().outputTokens().orElse(null), used.metered().costUsd().orElse(null)))
                    .orElseGet(() -> Stream.of(new Object[9]));
            return Stream.concat(spent, Stream.of(outcome, error));
        }
    }

    private Settled settle(String sql, Ending ending, Object... parameters) {
        long written = database.one(sql, row -> row.whole("written"),
                Stream.concat(Stream.of(parameters), ending.parameters()).toArray()).orElse(0L);
        return written > 0 ? Settled.WRITTEN : Settled.REFUSED;
    }

    private static UUID worker(Job job) {
        return job.workerId().orElseThrow();
    }

    @Override
    public Map<UUID, Boolean> progress(Collection<ProgressTick> ticks) {
        byte[][] previews = ticks.stream().map(tick -> tick.preview().orElse(null)).toArray(byte[][]::new);
        var wanted = new HashMap<UUID, Boolean>();
        database.query(JobSql.PROGRESS, row -> wanted.put(row.uuid("job_id"), row.flag("wanted")),
                column(ticks, tick -> tick.job().id()), column(ticks, tick -> tick.job().ownerUserId()),
                column(ticks, tick -> worker(tick.job())), column(ticks, tick -> tick.job().attempt()),
                column(ticks, ProgressTick::step), column(ticks, ProgressTick::steps),
                column(ticks, tick -> tick.age().toMillis()), previews);
        return wanted;
    }

    private static <T> String[] column(Collection<T> rows, Function<T, Object> value) {
        return rows.stream().map(value).map(String::valueOf).toArray(String[]::new);
    }

    @Override
    public int rescue() {
        return database.one(JobSql.RESCUE, row -> row.integer("rescued"), lease, lease).orElse(0);
    }

    @Override
    public int handBackUnknown(UUID worker, Collection<UUID> known) {
        var now = database.one(JobSql.NOW, row -> row.instant("now")).orElseThrow();
        return database.one(JobSql.HAND_BACK_UNKNOWN, row -> row.integer("handed_back"), worker,
                column(known, id -> id), now.atOffset(ZoneOffset.UTC)).orElse(0);
    }

    @Override
    public Set<String> unoffered() {
        return database.query(JobSql.UNOFFERED, row -> row.text("backend"), lease).stream().collect(Collectors.toSet());
    }

    @Override
    public int failUnoffered(Set<String> backends) {
        return (int) database.update(JobSql.FAIL_UNOFFERED, backends.toArray(String[]::new), unknown, lease, lease);
    }
}
