package dev.imagen.upkeep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What upkeep looks for is a few rows among many: each statement has its index, on an empty table and on a full one.
 */
@Tag("postgres")
class UpkeepPlansTest {

    @RegisterExtension
    static final TestDatabase EMPTY = new TestDatabase();

    @RegisterExtension
    static final TestDatabase FULL = new TestDatabase();

    @BeforeAll
    static void fill() throws SQLException {
        FULL.execute(
                """
                        insert into imagen.jobs (owner_user_id, prompt, status, completed_at)
                        select gen_random_uuid(), 'x', 'done', now() - i * interval '1 minute' from generate_series(1, 10000) as i
                        """,
                """
                        insert into imagen.images (owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256,
                                                   backend, model, prompt, created_at, deleted_at)
                        select gen_random_uuid(), 'file', 'p', 'image/png', 1, 1, 1, '', 'mock', 'm', 'p',
                               now() - i * interval '1 minute', case when i % 100 = 0 then now() - i * interval '1 minute' end
                          from generate_series(1, 10000) as i
                        """,
                """
                        insert into imagen.job_attempts (job_id, attempt, outcome, ended_at)
                        select id, 1, 'failed', completed_at from imagen.jobs
                        """, "analyze imagen.jobs, imagen.images, imagen.job_attempts");
    }

    static Stream<Arguments> statements() {
        var time = OffsetDateTime.parse("1970-01-01T00:00:00Z");
        var id = new UUID(0, 0);
        return Stream.of(arguments("jobs_finished_age", OldRows.DELETE_JOBS, new Object[]{3_600_000L, 1000}),
                arguments("images_age", OldRows.HIDE_IMAGES, new Object[]{3_600_000L, 1000}),
                arguments("images_deleted_age", DeletedImages.AFTER, new Object[]{"file", time, id, 100}),
                arguments("job_attempts_unchecked", EndedAttempts.AFTER, new Object[]{time, id, 0, 100}));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("statements")
    void a_batch_is_found_by_its_own_index_and_not_sorted(String index, String sql, Object[] parameters) {
        for (var database : new TestDatabase[]{EMPTY, FULL}) {
            var plan = String.join("\n",
                    database.database().query("explain " + sql, row -> row.text("QUERY PLAN"), parameters));
            assertThat(plan).containsPattern("Index (Only )?Scan using " + index).doesNotContain("Sort")
                    .doesNotContain("Hash").doesNotContain("Seq Scan");
        }
    }
}
