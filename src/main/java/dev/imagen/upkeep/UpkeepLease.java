package dev.imagen.upkeep;

import dev.imagen.database.Database;
import java.time.Duration;
import java.util.UUID;

/**
 * Which process does the upkeep: one row for all of them, by the database's clock. A holder that dies is replaced when
 * its time has run out. Throws DatabaseException when the database does not answer.
 */
final class UpkeepLease {

    /** Far longer than any batch takes, and soon enough for a round that a dead process left undone. */
    static final Duration HELD = Duration.ofMinutes(5);

    /** Two processes may both see that a round is due: not in a busy loop. */
    private static final Duration LEAST_WAIT = Duration.ofMillis(100);

    /** A holder whose round broke off takes its own lease again. */
    private static final String TAKE = """
            update imagen.upkeep set holder = ?::uuid, until = now() + ? * interval '1 millisecond'
             where (until <= now() or holder = ?::uuid) and last_round_at <= now() - ? * interval '1 millisecond'
            returning holder
            """;

    private static final String UNTIL_DUE = """
            select (extract(epoch from greatest(until, last_round_at + ? * interval '1 millisecond') - now())
                    * 1000)::bigint as millis
              from imagen.upkeep
            """;

    private static final String RENEW = """
            update imagen.upkeep set until = now() + ? * interval '1 millisecond' where holder = ?::uuid
            """;

    private static final String FINISH = """
            update imagen.upkeep set holder = null, until = now(), last_round_at = now() where holder = ?::uuid
            """;

    private static final String RELEASE = """
            update imagen.upkeep set holder = null, until = now() where holder = ?::uuid
            """;

    private final Database database;
    private final long every;
    private final UUID id = UUID.randomUUID();

    /** @param every from the end of one round to the next, whoever does it */
    UpkeepLease(Database database, Duration every) {
        this.database = database;
        this.every = every.toMillis();
    }

    /** Takes the lease if a round is due and nobody else is at it. */
    boolean take() {
        return database.one(TAKE, row -> row.uuid("holder"), id, HELD.toMillis(), id, every).isPresent();
    }

    /** How long until it makes sense to ask again. */
    Duration untilDue() {
        var wait = Duration.ofMillis(database.one(UNTIL_DUE, row -> row.whole("millis"), every).orElseThrow());
        return wait.compareTo(LEAST_WAIT) > 0 ? wait : LEAST_WAIT;
    }

    /** Holds it for longer. @return false when another process has it */
    boolean renew() {
        return database.update(RENEW, HELD.toMillis(), id) > 0;
    }

    /** The round is done: the next one is due in a while. */
    void finish() {
        database.update(FINISH, id);
    }

    /** The round is not done: another process may go on at once. */
    void release() {
        database.update(RELEASE, id);
    }
}
