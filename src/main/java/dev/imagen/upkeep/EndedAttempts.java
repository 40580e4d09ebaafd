package dev.imagen.upkeep;

import dev.imagen.database.Database;
import dev.imagen.database.Row;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.StorageKey;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Attempts that ended without an image, each looked at once: a process that was killed between storing a file and
 * recording it left the file behind. The attempt tells how its keys begin, so the store is not listed as a whole, and
 * files of another database in the same store are never touched.
 */
final class EndedAttempts implements FileRemoval.Items<EndedAttempts.Attempt> {

    private static final Attempt FIRST = new Attempt(new UUID(0, 0), 0, Instant.EPOCH, "", List.of());

    /**
     * After an hour whoever ran the attempt has removed its file itself, or never will. Rows of the job that name a
     * file all have its id: it goes only with the job, and then the attempts are gone too.
     */
    static final String AFTER = """
            select a.job_id, a.attempt, a.ended_at, j.owner_user_id, j.created_at,
                   array(select i.path from imagen.images i where i.job_id = a.job_id) as named
              from imagen.job_attempts a join imagen.jobs j on j.id = a.job_id
             where a.outcome <> 'done' and a.files_checked_at is null and a.ended_at < now() - interval '1 hour'
               and (a.ended_at, a.job_id, a.attempt) > (?::timestamptz, ?::uuid, ?)
             order by a.ended_at, a.job_id, a.attempt limit ?
            """;

    private static final String REMOVED = """
            update imagen.job_attempts a set files_checked_at = now()
              from unnest(?::uuid[], ?::int[]) as checked (job_id, attempt)
             where a.job_id = checked.job_id and a.attempt = checked.attempt
            """;

    private final Database database;
    private final List<ImageStore> stores;

    /** @param stores all that an attempt may have used: its row does not tell which */
    EndedAttempts(Database database, List<ImageStore> stores) {
        this.database = database;
        this.stores = stores;
    }

    /**
     * @param prefix how its keys begin
     * @param named keys of the job that image rows name
     */
    record Attempt(UUID job, int attempt, Instant endedAt, String prefix, List<String> named) {}

    @Override
    public List<Attempt> after(Optional<Attempt> last, int limit) {
        var from = last.orElse(FIRST);
        return database.query(AFTER, EndedAttempts::attempt, from.endedAt().atOffset(ZoneOffset.UTC), from.job(),
                from.attempt(), limit);
    }

    private static Attempt attempt(Row row) {
        var job = row.uuid("job_id");
        int attempt = row.integer("attempt");
        return new Attempt(job, attempt, row.instant("ended_at"),
                StorageKey.prefix(row.uuid("owner_user_id"), row.instant("created_at"), job, attempt),
                row.list("named", String.class));
    }

    @Override
    public int removeFiles(Attempt attempt) throws IOException {
        int removed = 0;
        for (ImageStore store : stores) {
            for (String key : store.keys(attempt.prefix())) {
                if (!attempt.named().contains(key)) {
                    store.delete(key);
                    removed++;
                }
            }
        }
        return removed;
    }

    @Override
    public void removed(List<Attempt> attempts) {
        database.update(REMOVED, attempts.stream().map(attempt -> attempt.job().toString()).toArray(String[]::new),
                attempts.stream().map(attempt -> String.valueOf(attempt.attempt())).toArray(String[]::new));
    }
}
