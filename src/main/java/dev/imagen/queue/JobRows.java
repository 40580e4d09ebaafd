package dev.imagen.queue;

import dev.imagen.database.Row;
import dev.imagen.job.Job;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewJob;
import java.util.Optional;
import java.util.UUID;

/** Reads rows of {@code imagen.jobs}. */
public final class JobRows {

    private JobRows() {}

    /** The job in a row that has all columns of the table. */
    public static Job job(Row row) {
        return new Job(row.uuid("id"), row.uuid("owner_user_id"), request(row), row.optionalText("idempotency_key"),
                JobStatus.of(row.text("status")).orElseThrow(), row.integer("attempt"), row.integer("failures"),
                row.optionalUuid("worker_id"), row.optionalText("error"), row.optionalUuid("image_id"),
                row.list("images", UUID.class), row.optionalInstant("cancel_requested_at"),
                row.optionalText("traceparent"), row.whole("version"), row.instant("created_at"),
                row.instant("updated_at"), row.optionalInstant("started_at"), row.optionalInstant("completed_at"));
    }

    private static NewJob request(Row row) {
        return new NewJob(row.text("prompt"), row.optionalText("negative_prompt"), row.optionalText("backend"),
                row.optionalText("model"), row.optionalText("style"), row.optionalInteger("width"),
                row.optionalInteger("height"), row.optionalInteger("steps"), row.optionalWhole("seed"),
                row.integer("priority"), Optional.of(row.instant("run_at")), row.integer("max_attempts"),
                Params.map(row.optionalJson("params")), row.integer("count"), row.optionalUuid("input_image_id"),
                row.optionalDouble("strength"));
    }
}
