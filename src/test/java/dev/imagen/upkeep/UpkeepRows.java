package dev.imagen.upkeep;

import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/** Rows that the tests of upkeep need; times are SQL, such as {@code now() - interval '2 hours'}. */
record UpkeepRows(TestDatabase db) {

    static final UUID OWNER = UUID.fromString("00000000-0000-4000-8000-00000000000a");

    private static final String JOB = """
            insert into imagen.jobs (owner_user_id, prompt, status, attempt, completed_at)
            values ('%s', 'a test', '%s', 1, %s) returning id
            """;

    private static final String IMAGE = """
            insert into imagen.images (job_id, owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256,
                                       backend, model, prompt, created_at, deleted_at)
            values (%s, '%s', '%s', '%s', 'image/png', 1, 1, 1, '', 'mock', 'm', 'p', %s, %s) returning id
            """;

    private static final String ATTEMPT = """
            insert into imagen.job_attempts (job_id, attempt, outcome, ended_at) values ('%s', %s, '%s', %s)
            """;

    UUID job(String status, String completedAt) throws SQLException {
        return (UUID) db.row(JOB.formatted(OWNER, status, completedAt)).get("id");
    }

    UUID image(String path, String createdAt) throws SQLException {
        return (UUID) db.row(IMAGE.formatted("null", OWNER, "memory", path, createdAt, "null")).get("id");
    }

    UUID imageOf(UUID job, String path) throws SQLException {
        return (UUID) db.row(IMAGE.formatted("'" + job + "'", OWNER, "memory", path, "now()", "null")).get("id");
    }

    UUID deletedImage(String bucket, String path, String deletedAt) throws SQLException {
        return (UUID) db.row(IMAGE.formatted("null", OWNER, bucket, path, "now()", deletedAt)).get("id");
    }

    void attempt(UUID job, int number, String outcome, String endedAt) throws SQLException {
        db.execute(ATTEMPT.formatted(job, number, outcome, endedAt));
    }

    Set<UUID> jobs() throws SQLException {
        return db.rows("select id from imagen.jobs").stream().map(row -> (UUID) row.get("id"))
                .collect(Collectors.toSet());
    }

    List<String> imagePaths() throws SQLException {
        return db.rows("select path from imagen.images order by path").stream().map(row -> (String) row.get("path"))
                .toList();
    }

    /** As after the migration. */
    void clear() throws SQLException {
        db.clear();
        db.execute("update imagen.upkeep set holder = null, until = 'epoch', last_round_at = 'epoch'");
    }
}
