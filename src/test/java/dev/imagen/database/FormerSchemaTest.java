package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A database where an earlier worker keeps its own {@code imagen.jobs}. */
class FormerSchemaTest {

    private static final UUID OWNER = UUID.fromString("50fa4317-7836-4543-8258-664cd5a9b455");
    private static final Instant LONG_AGO = Instant.parse("2024-05-06T07:08:09.123456Z");
    private static final Duration LONGEST = Duration.ofMinutes(1);

    private static final String JOBS = """
            create table imagen.jobs (
                id uuid primary key default gen_random_uuid(), owner_user_id uuid, prompt text, negative_prompt text,
                backend text, model text, style text, width int, height int, steps int, seed bigint,
                status text not null default 'pending', error text, image_id uuid, worker_host text,
                created_at timestamptz not null default now(), started_at timestamptz, completed_at timestamptz)""";

    private TestDatabase db;

    @BeforeEach
    void make() throws SQLException {
        db = TestDatabase.empty();
        db.execute("create schema imagen", JOBS);
    }

    @AfterEach
    void close() {
        db.close();
    }

    private UUID former(String columns, Object... values) throws SQLException {
        var marks = ", ?".repeat(values.length);
        return (UUID) db.row("insert into imagen.jobs (owner_user_id, prompt, worker_host, created_at, " + columns
                + ") values ('" + OWNER + "', 'a fox', 'old', '" + LONG_AGO + "'" + marks + ") returning id", values)
                .get("id");
    }

    private Migrations.TakenOver takeOver() {
        return new Migrations(db.settings()).takeOver();
    }

    private static Timestamp after(int minutes) {
        return Timestamp.from(LONG_AGO.plus(Duration.ofMinutes(minutes)));
    }

    @Test
    void migrating_refuses_and_says_what_to_type_and_leaves_everything_as_it_is() throws SQLException {
        var job = former("status", "pending");
        assertThatExceptionOfType(MigrationException.class).isThrownBy(() -> new Migrations(db.settings()).run())
                .withMessageContaining("imagen migrate --take-over").withMessageContaining("stop that worker");
        assertThat(db.tables()).containsExactly("jobs");
        assertThat(db.job(job)).containsEntry("worker_host", "old");
    }

    @Test
    void rows_of_every_status_are_taken_over_and_a_worker_makes_what_was_left() throws Exception {
        var pending = former("status, model, width", "pending", "", 64);
        var running = former("status, started_at", "running", after(1));
        var failed = former("status, error, started_at, completed_at", "failed", "out of memory", after(1), after(2));
        var done = former("status, image_id, started_at, completed_at", "done", UUID.randomUUID(), after(1), after(3));
        var taken = takeOver();
        assertThat(taken.applied()).isEqualTo(MigrationsTest.ALL);
        assertThat(db.rows("select from pg_trigger where tgrelid = 'imagen.jobs'::regclass and tgenabled <> 'O'"))
                .isEmpty();
        assertThat(taken.rows()).singleElement().asString()
                .contains("4 of 4 jobs (those that were running are pending now: 1), 0 images");
        assertThat(db.job(failed)).containsEntry("owner_user_id", OWNER).containsEntry("status", "failed")
                .containsEntry("error", "out of memory").containsEntry("created_at", Timestamp.from(LONG_AGO))
                .containsEntry("started_at", after(1)).containsEntry("completed_at", after(2))
                .containsEntry("updated_at", after(2)).containsEntry("run_at", Timestamp.from(LONG_AGO));
        assertThat(db.job(done)).containsEntry("status", "done").containsEntry("completed_at", after(3))
                .containsEntry("image_id", null);
        assertThat(db.job(running)).containsEntry("status", "pending").containsEntry("started_at", null);
        assertThat(db.row("select count(*) as n from imagen_before.jobs where worker_host = 'old'")).containsEntry("n",
                4L);
        try (var _ = TestService.on(db).start()) {
            await().atMost(LONGEST).until(() -> List.of("done", "done")
                    .equals(List.of(db.job(pending).get("status"), db.job(running).get("status"))));
        }
        assertThat(db.job(failed)).containsEntry("status", "failed");
        assertThat(db.row("select width from imagen.images where job_id = ?", pending)).containsEntry("width", 64);
        assertSecondRunChangesNothing();
    }

    /** Not even where a taken row was removed since. */
    private void assertSecondRunChangesNothing() throws SQLException {
        db.execute("delete from imagen.jobs");
        assertThat(takeOver()).isEqualTo(new Migrations.TakenOver(0, List.of()));
        assertThat(new Migrations(db.settings()).run()).isZero();
        assertThat(db.rows("select from imagen.jobs")).isEmpty();
    }

    @Test
    void what_is_refused_today_stays_behind_and_is_told_of_and_jobs_keep_images_that_come_along() throws SQLException {
        var image = UUID.randomUUID();
        var lost = UUID.randomUUID();
        var done = former("status, image_id", "done", image);
        var without = former("status, image_id", "done", lost);
        var small = former("status, width", "pending", 3);
        former("status", "paused");
        db.execute("insert into imagen.jobs (prompt) values ('of nobody')",
                "insert into imagen.jobs (owner_user_id, prompt) values (gen_random_uuid(), '  ')",
                """
                        create table imagen.images (id text primary key, owner_user_id varchar, bucket text, path text,
                            mime_type text, width bigint, height int, byte_size int, sha256 bytea, created_at timestamp)""",
                "insert into imagen.images values ('" + image + "', '" + OWNER
                        + "', 'old-bucket', 'a/b.png', 'image/png'," + " 64, 48, 4, '\\x0102', '2024-05-06 07:08:09')",
                "insert into imagen.images (id, owner_user_id) values ('" + lost + "', '" + OWNER + "')",
                "insert into imagen.images (id) values ('seventeen')");
        assertThat(takeOver().rows()).hasSize(7)
                .anySatisfy(line -> assertThat(line).contains("2 of 6 jobs").contains("1 images"))
                .anySatisfy(line -> assertThat(line).contains("imagen_before.jobs: 1").contains("jobs_width_range")
                        .contains(small.toString()))
                .anySatisfy(line -> assertThat(line).contains("jobs_status_known"))
                .anySatisfy(line -> assertThat(line).contains("owner_user_id"))
                .anySatisfy(line -> assertThat(line).contains("jobs_prompt_not_blank"))
                .anySatisfy(line -> assertThat(line).contains("imagen_before.images: 1").contains("bucket"))
                .anySatisfy(line -> assertThat(line).contains("imagen_before.images: 1").contains("seventeen"));
        assertThat(db.rows("select from imagen_before.jobs")).hasSize(6);
        assertThat(db.job(done)).containsEntry("image_id", image).containsEntry("images", List.of(image));
        assertThat(db.job(without)).containsEntry("image_id", null);
        assertThat(db.row("select * from imagen.images")).containsEntry("job_id", done)
                .containsEntry("bucket", "old-bucket")
                .containsEntry("created_at", Timestamp.from(Instant.parse("2024-05-06T07:08:09Z")));
        assertThat(db.row("select relrowsecurity from pg_class where oid = 'imagen_before.left_behind'::regclass"))
                .containsEntry("relrowsecurity", true);
    }

    @Test
    void a_job_that_began_a_moment_ago_is_somebody_elses_and_nothing_is_moved() throws SQLException {
        former("status, started_at", "running", Timestamp.from(Instant.now()));
        former("status", "running");
        assertThatExceptionOfType(MigrationException.class).isThrownBy(this::takeOver)
                .withMessageContaining("2 jobs of the former table are running").withMessageContaining("set status");
        assertThat(db.tables()).containsExactly("jobs");
        assertThat(db.rows("select from imagen.jobs where status = 'running'")).hasSize(2);
    }

    @Test
    void a_schema_of_the_name_that_is_needed_is_not_touched() throws SQLException {
        db.execute("create schema imagen_before", "create table imagen_before.kept ()");
        assertThatExceptionOfType(MigrationException.class).isThrownBy(this::takeOver)
                .withMessageContaining("alter schema imagen_before rename to");
        assertThat(db.tables()).containsExactly("jobs");
    }

    @Test
    void a_takeover_that_was_broken_off_is_ended_by_the_next_and_by_nothing_else() throws Exception {
        former("status", "failed");
        try (var connection = Connections.openUnhurried(db.settings().owner())) {
            new FormerSchema(connection).moveAside();
        }
        breakOff();
        assertThat(db.rows("select from imagen.jobs")).isEmpty();
        assertThatThrownBy(() -> new Migrations(db.settings()).run()).isInstanceOf(MigrationException.class)
                .hasMessageContaining("did not end: run it again");
        assertThat(takeOver().rows()).singleElement().asString().contains("1 of 1 jobs");
        assertThat(db.rows("select from imagen.jobs")).hasSize(1);
    }

    /** Its session is ended in the midst of the copy. */
    private void breakOff() throws Exception {
        try (var rival = db.superuser();
                var statement = rival.createStatement();
                var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            rival.setAutoCommit(false);
            statement.execute("lock table imagen_before.jobs in access exclusive mode");
            var copying = executor.submit(this::takeOver);
            await().atMost(LONGEST).until(() -> !db.rows("select pg_terminate_backend(pid) from pg_stat_activity"
                    + " where datname = current_database() and wait_event_type = 'Lock' and query like '-- Copies%'")
                    .isEmpty());
            assertThatThrownBy(copying::get).isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(DatabaseException.class);
        }
    }

}
