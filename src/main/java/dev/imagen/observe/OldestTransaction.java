package dev.imagen.observe;

import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;

/**
 * The transaction that has been open longest: while it is, no vacuum removes what died since it began, and a queue's
 * rows die by the minute.
 *
 * @param seconds how long it has been open; 0: none is, or the schema's owner may not see it
 * @param xminAge how many transactions ago the oldest rows died that are still kept for a session, a prepared
 *     transaction or a replication slot
 */
record OldestTransaction(double seconds, long xminAge) {

    static final OldestTransaction UNKNOWN = new OldestTransaction(0, 0);

    private static final String OLDEST = """
            select seconds, xmin_age from imagen.oldest_transaction()
            """;

    /** @throws DatabaseException when the database does not answer */
    static OldestTransaction read(Database database) {
        return database.one(OLDEST, row -> new OldestTransaction((Double) row.value("seconds"), row.whole("xmin_age")))
                .orElseThrow();
    }
}
