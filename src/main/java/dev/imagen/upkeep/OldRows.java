package dev.imagen.upkeep;

import dev.imagen.database.Database;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Retention by age: one short statement for each batch of rows, so that no lock is held for long. */
final class OldRows implements Chore {

    private static final System.Logger LOG = System.getLogger(OldRows.class.getName());

    static final int BATCH = 1000;

    /**
     * Images and usage stay, without their job. A job goes only when no attempt of its own may have left a file: its
     * attempts, and with them what is known of the file, go with it. Counted, for "not exists" would be planned as a
     * join with all such attempts, and a sort of all old jobs.
     */
    static final String DELETE_JOBS = """
            delete from imagen.jobs
             where id = any (array(
                    select j.id from imagen.jobs j
                     where j.status in ('done', 'failed', 'cancelled')
                       and j.completed_at < now() - ? * interval '1 millisecond'
                       and (select count(*) from imagen.job_attempts a
                             where a.job_id = j.id and a.outcome <> 'done' and a.files_checked_at is null) = 0
                     order by j.completed_at limit ?
                       for update of j skip locked))
            """;

    /** Out of the gallery at once; file and row go as with every deleted image. */
    static final String HIDE_IMAGES = """
            update imagen.images set deleted_at = now()
             where id = any (array(
                    select id from imagen.images
                     where deleted_at is null and created_at < now() - ? * interval '1 millisecond'
                     order by created_at limit ?
                       for update skip locked))
            """;

    private final Database database;
    private final String name;
    private final String sql;
    private final Duration age;

    private OldRows(Database database, String name, String sql, Duration age) {
        this.database = database;
        this.name = name;
        this.sql = sql;
        this.age = age;
    }

    /** Finished jobs whose end is longer ago than this. */
    static OldRows jobs(Database database, Duration age) {
        return new OldRows(database, "finished jobs", DELETE_JOBS, age);
    }

    /** Images that are older than this. */
    static OldRows images(Database database, Duration age) {
        return new OldRows(database, "images", HIDE_IMAGES, age);
    }

    @Override
    public String name() {
        return "old " + name;
    }

    @Override
    public void run(BooleanSupplier goOn) {
        long deleted = 0;
        long batch;
        do {
            batch = database.update(sql, age.toMillis(), BATCH);
            deleted += batch;
        } while (batch == BATCH && goOn.getAsBoolean());
        if (deleted > 0) {
            LOG.log(Level.INFO, "deleted {0} {1} older than {2}", deleted, name, age);
        }
    }
}
