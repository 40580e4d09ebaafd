package dev.imagen.chaos;

import java.sql.SQLException;

/** Jobs as a SQL client makes them: small pictures. */
record Jobs(Sql sql) {

    /** More than any scenario's accidents can spend: whatever happens to such a job, it is done in the end. */
    static final int STUBBORN = 25;

    /** Whose they are: the service's own, for who asks over REST. */
    static final String OWNER = "00000000-0000-4000-8000-000000000001";

    private static final String INSERT = """
            insert into imagen.jobs (owner_user_id, prompt, width, height, steps, max_attempts)
            select '%s', ?, 64, 64, 4, ? from generate_series(1, ?)
            """.formatted(OWNER);

    /** Jobs that no accident can fail. */
    void insert(int count) throws SQLException {
        insert(count, "a quiet bay", STUBBORN);
    }

    void insert(int count, String prompt, int attempts) throws SQLException {
        sql.execute(INSERT, prompt, attempts, count);
    }

    /** Those of which this is true. */
    long count(String condition) throws SQLException {
        return sql.number("select count(*) from imagen.jobs where " + condition);
    }

    /** Whether nothing is left to do. */
    boolean allEnded() throws SQLException {
        return count("status in ('pending', 'running')") == 0;
    }

    /** How often jobs have been claimed until now. */
    long claims() throws SQLException {
        return sql.number("select count(*) from ledger.moves where new_status = 'running'");
    }
}
