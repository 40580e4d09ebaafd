package dev.imagen.database;

/** How far the schema is, for a process that leaves its migration to another one. */
public final class SchemaVersion {

    /** The newest file in {@code sql/}: what this program's statements are written for. */
    static final int NEEDED = 28;

    private static final String PRESENT = """
            select imagen.schema_version() as version
            """;
    private static final String NO_SUCH_SCHEMA = "3F000";
    private static final String NO_SUCH_FUNCTION = "42883";

    private SchemaVersion() {}

    /**
     * @throws DatabaseException where the server does not answer, or the schema is older than this program needs: says
     *     what to do. A newer one will do, since migrations let former processes go on
     */
    public static void check(Database database) {
        int present = present(database);
        if (present < NEEDED) {
            throw new DatabaseException("the schema imagen has version " + present + ", and this program needs "
                    + NEEDED + ": run imagen migrate, or let this process do it (db.migration.enabled,"
                    + " DB_MIGRATION_ENABLED)", null);
        }
    }

    /** Zero where there is none, or one from before it told. */
    private static int present(Database database) {
        try {
            return database.one(PRESENT, row -> row.integer("version")).orElse(0);
        } catch (DatabaseException e) {
            if (e.state().equals(NO_SUCH_SCHEMA) || e.state().equals(NO_SUCH_FUNCTION)) {
                return 0;
            }
            throw e;
        }
    }
}
