package dev.imagen.queue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.job.Usage;
import java.util.List;

/** Ended attempts as the JSON array that the finish unpacks. */
final class FinishRecords {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What {@code jsonb_to_recordset} makes of {@link #json}. */
    static final String COLUMNS = """
            id uuid, worker_id uuid, attempt smallint, image_ids uuid[], images jsonb, used_backend text,
            used_model text, used_images int, megapixels numeric, duration_ms bigint, input_tokens bigint,
            output_tokens bigint, cost_usd numeric
            """;

    private FinishRecords() {}

    static String json(List<JobQueue.Finish> ended) {
        var array = JSON.createArrayNode();
        ended.forEach(finish -> fill(array.addObject(), finish));
        return array.toString();
    }

    private static void fill(ObjectNode node, JobQueue.Finish finish) {
        var job = finish.job();
        var images = finish.done().images();
        node.put("id", job.id().toString()).put("worker_id", job.workerId().orElseThrow().toString())
                .put("attempt", job.attempt()).set("images", ImageRecords.array(images));
        images.forEach(image -> node.withArray("image_ids").add(image.id().toString()));
        finish.done().usage().ifPresent(usage -> fill(node, usage));
    }

    private static void fill(ObjectNode node, Usage usage) {
        var metered = usage.metered();
        node.put("used_backend", usage.backend()).put("used_model", usage.model()).put("used_images", usage.images())
                .put("megapixels", usage.megapixels()).put("duration_ms", usage.duration().toMillis())
                .put("input_tokens", metered.inputTokens().orElse(null))
                .put("output_tokens", metered.outputTokens().orElse(null))
                .put("cost_usd", metered.costUsd().orElse(null));
    }
}
