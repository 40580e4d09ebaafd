package dev.imagen.queue;

import java.util.UUID;
import java.util.regex.Matcher;

/** What the queue sends, as scripts of pgbench: what PostgreSQL can do at most with the same tables and statements. */
public final class QueueScripts {

    private static final int LEASE_MILLIS = 15_000;

    private static final String ALL_COLUMNS = "select * from claimed order by priority desc, run_at, id\n";

    /** The finish's parameter, made of what was claimed. */
    private static final String ASKED = """
            select jsonb_agg(jsonb_build_object(
                       'id', id, 'worker_id', worker_id, 'attempt', attempt, 'image_ids', array[id],
                       'used_backend', 'mock', 'used_model', 'mock', 'used_images', 1, 'megapixels', 0.262144,
                       'duration_ms', 1, 'images', jsonb_build_array(jsonb_build_object(
                           'id', id, 'position', 0, 'bucket', 'file', 'path', id || '-' || attempt || '.png',
                           'mime_type', 'image/png', 'width', 512, 'height', 512, 'byte_size', 1000,
                           'sha256', repeat('00', 32), 'backend', 'mock', 'model', 'mock', 'prompt', prompt,
                           'seed', 1)))) as asked
              from claimed
            """;

    private QueueScripts() {}

    /** A claim, and the finish of what it claimed. */
    public static String claimAndFinish(UUID worker, int inOne) {
        var limit = String.valueOf(inOne);
        var free = "'{" + limit + "," + limit + "}'";
        var id = "'" + worker + "'";
        var claim = filled(JobSql.CLAIM_OPEN, "'{mock,\"\"}'", "'{mock,mock}'", free, "'{0,0}'", limit, limit, id,
                "'mock'", id, String.valueOf(LEASE_MILLIS));
        if (!claim.endsWith(ALL_COLUMNS)) {
            throw new IllegalStateException("the claim ends in another way: " + claim);
        }
        return claim.replace(ALL_COLUMNS, ASKED) + "\\gset\n" + filled(JobSql.FINISH_FREE, ":asked") + ";\n";
    }

    private static String filled(String sql, String... values) {
        var filled = sql.replaceAll("--.*", "");
        for (String value : values) {
            filled = filled.replaceFirst("\\?", Matcher.quoteReplacement(value));
        }
        return filled;
    }
}
