package dev.imagen.observe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.TestDatabase;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@Tag("postgres")
class QueueDepthTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Pattern PAGES = Pattern.compile("shared (?:hit=(\\d+))?\\s?(?:read=(\\d+))?");

    @BeforeEach
    void clear() throws Exception {
        DB.clear();
    }

    @Test
    void due_scheduled_and_running_jobs_are_counted_and_finished_ones_are_not() throws Exception {
        insert(3, "'pending', now() - interval '90 seconds'");
        insert(2, "'pending', now() + interval '1 day'");
        insert(4, "'running', now()");
        insert(5, "'done', now()");
        var depth = QueueDepth.read(DB.database());
        assertThat(depth.pending()).isEqualTo(3);
        assertThat(depth.scheduled()).isEqualTo(2);
        assertThat(depth.running()).isEqualTo(4);
        assertThat(depth.oldestSeconds()).isBetween(90.0, 600.0);
    }

    @Test
    void an_empty_queue_has_no_oldest_job() {
        assertThat(QueueDepth.read(DB.database())).isEqualTo(QueueDepth.UNKNOWN);
    }

    @Test
    void the_query_reads_no_more_pages_where_a_hundred_thousand_jobs_are_finished() throws Exception {
        insert(10, "'pending', now()");
        insert(100_000, "'done', now()");
        DB.execute("vacuum analyze imagen.jobs");
        assertThat(pages()).isLessThan(40);
    }

    private static void insert(int count, String statusAndRunAt) throws Exception {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, status, run_at, created_at) select"
                + " gen_random_uuid(), 'a test', " + statusAndRunAt
                + ", now() - interval '1 day' from generate_series(1, " + count + ")");
    }

    /** What the server read for the whole query; run as the service runs it. */
    private static int pages() {
        var plan = DB.database().query("explain (analyze, buffers, costs off, timing off) " + QueueDepth.DEPTH,
                row -> row.text("QUERY PLAN"));
        var buffers = plan.stream().filter(line -> line.contains("Buffers:")).findFirst().orElseThrow();
        return PAGES.matcher(buffers).results().mapToInt(found -> number(found.group(1)) + number(found.group(2)))
                .sum();
    }

    private static int number(String digits) {
        return digits == null ? 0 : Integer.parseInt(digits);
    }
}
