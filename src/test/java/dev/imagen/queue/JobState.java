package dev.imagen.queue;

import dev.imagen.job.JobStatus;
import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What is compared of a job.
 *
 * @param worker the name of the process that runs it, or ran it last
 * @param sound whether its times go together, and only a done job names an image
 * @param images those of the job; the first is the one that the job names
 * @param attempts the outcomes of those that ended, by their numbers
 * @param usage the outcomes of those that cost something
 * @param progress the step that is recorded
 */
record JobState(int job, JobStatus status, Optional<String> backend, int attempt, int failures, Optional<String> worker,
        boolean error, boolean cancelRequested, boolean started, boolean completed, boolean sound, long version,
        String images, SortedMap<Integer, String> attempts, SortedMap<Integer, String> usage,
        Optional<Integer> progress) {

    private static final String READ = """
            select j.*,
                   j.created_at <= j.updated_at and j.created_at <= j.run_at
                       and coalesce(j.completed_at = j.updated_at, true)
                       and coalesce(j.started_at between j.created_at and j.updated_at, true)
                       and (j.status <> 'running' or j.cancel_requested_at is not null or j.started_at = j.updated_at)
                       and not exists (select from imagen.job_attempts a
                                        where a.job_id = j.id and (a.started_at <= a.ended_at) is not true)
                       and (j.image_id is not null) = (j.status = 'done')
                       as sound,
                   (select string_agg(replace(i.path, 'o/' || j.id, ''), ' ' order by i.id <> j.image_id, i.position)
                      from imagen.images i where i.job_id = j.id) as images,
                   (select string_agg(a.attempt || ' ' || a.outcome, ', ' order by a.attempt)
                      from imagen.job_attempts a where a.job_id = j.id) as attempts,
                   (select string_agg(u.attempt || ' ' || u.outcome, ', ' order by u.attempt)
                      from imagen.usage u where u.job_id = j.id) as usage,
                   (select p.step from imagen.job_progress p where p.job_id = j.id) as progress
              from imagen.jobs j order by j.id
            """;

    /** All jobs, in the order of their numbers. */
    static List<JobState> read(Connection operator, Cast cast) throws SQLException {
        try (var statement = operator.prepareStatement(READ); var result = statement.executeQuery()) {
            return TestDatabase.rows(result).stream().map(row -> of(row, cast)).toList();
        }
    }

    private static JobState of(Map<String, Object> row, Cast cast) {
        return new JobState(Cast.number((UUID) row.get("id")), JobStatus.of((String) row.get("status")).orElseThrow(),
                Optional.ofNullable((String) row.get("backend")), (int) row.get("attempt"), (int) row.get("failures"),
                Optional.ofNullable((UUID) row.get("worker_id")).map(cast::name), row.get("error") != null,
                row.get("cancel_requested_at") != null, row.get("started_at") != null, row.get("completed_at") != null,
                (boolean) row.get("sound"), (long) row.get("version"),
                Optional.ofNullable((String) row.get("images")).orElse(""), outcomes((String) row.get("attempts")),
                outcomes((String) row.get("usage")), Optional.ofNullable((Integer) row.get("progress")));
    }

    private static SortedMap<Integer, String> outcomes(String column) {
        return Stream.ofNullable(column).flatMap(all -> Stream.of(all.split(", "))).map(one -> one.split(" ")).collect(
                Collectors.toMap(one -> Integer.valueOf(one[0]), one -> one[1], (one, _) -> one, TreeMap::new));
    }

    /** The images that this attempt made. */
    static String images(int attempt) {
        return "-%d-0.png -%d-1.png".formatted(attempt, attempt);
    }
}
