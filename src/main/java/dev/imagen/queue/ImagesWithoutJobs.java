package dev.imagen.queue;

import dev.imagen.database.Database;
import dev.imagen.job.NewImage;
import dev.imagen.job.Usage;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Records images that no job asked for: those of the generate command. */
public final class ImagesWithoutJobs {

    private static final String RECORD = """
            with image as (
                insert into imagen.images (id, position, owner_user_id, bucket, path, mime_type, width, height,
                                           byte_size, sha256, backend, model, prompt, negative_prompt, style, seed, steps)
                select i.id, i.position, ?::uuid, i.bucket, i.path, i.mime_type, i.width, i.height, i.byte_size,
                       decode(i.sha256, 'hex'), i.backend, i.model, i.prompt, i.negative_prompt, i.style, i.seed, i.steps
                  from jsonb_to_recordset(?::jsonb) as i (
            """
            + ImageRecords.COLUMNS + """
                          ))
                    insert into imagen.usage (owner_user_id, backend, model, outcome, images, megapixels, duration_ms,
                                                input_tokens, output_tokens, cost_usd)
                    select ?::uuid, ?, ?, 'done', ?::int, ?::numeric, ?::bigint, ?::bigint, ?::bigint, ?::numeric
                    """;

    private final Database database;

    /** Images of this database. */
    public ImagesWithoutJobs(Database database) {
        this.database = database;
    }

    /** Writes the images and what they cost, all or nothing. */
    public void record(UUID owner, List<NewImage> images, Optional<Usage> usage) {
        var spent = usage.orElseThrow();
        database.update(RECORD, owner, ImageRecords.array(images).toString(), owner, spent.backend(), spent.model(),
                spent.images(), spent.megapixels(), spent.duration().toMillis(),
                spent.metered().inputTokens().orElse(null), spent.metered().outputTokens().orElse(null),
                spent.metered().costUsd().orElse(null));
    }
}
