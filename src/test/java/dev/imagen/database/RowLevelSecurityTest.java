package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients with plain SQL may do: role authenticated with the claims of a token, as PostgREST sets them. */
@Tag("postgres")
class RowLevelSecurityTest {

    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    /** What a client may set, by the design. */
    private static final Set<String> CLIENT_COLUMNS = Set.of("id", "owner_user_id", "prompt", "negative_prompt",
            "backend", "model", "style", "width", "height", "steps", "seed", "priority", "run_at", "max_attempts",
            "idempotency_key", "params", "count", "input_image_id", "strength", "traceparent");

    /** Something that a forger would like to have, for each of the other columns. */
    private static final Map<String, String> FORGED = Map.ofEntries(Map.entry("request_hash", "'\\x00'"),
            Map.entry("status", "'done'"), Map.entry("attempt", "1"), Map.entry("failures", "-100"),
            Map.entry("worker_id", "gen_random_uuid()"), Map.entry("error", "'forged'"),
            Map.entry("image_id", "(select id from imagen.images limit 1)"), Map.entry("cancel_requested_at", "now()"),
            Map.entry("version", "1"), Map.entry("created_at", "'1970-01-01'"), Map.entry("updated_at", "'1970-01-01'"),
            Map.entry("started_at", "now()"), Map.entry("completed_at", "now()"),
            Map.entry("images", "array[gen_random_uuid()]"));

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    @RegisterExtension
    static final TestDatabase GRANTED = TestDatabase.grantedToAll();

    private final UUID alice = UUID.randomUUID();
    private final UUID bob = UUID.randomUUID();

    @Test
    void a_client_inserts_a_job_with_a_prompt_alone_and_owns_it() throws SQLException {
        var job = only(commit(DB, alice, "insert into imagen.jobs (prompt) values ('a cat') returning *"));
        assertThat(job).containsEntry("owner_user_id", alice).containsEntry("status", "pending")
                .containsEntry("attempt", 0).containsEntry("priority", 0).containsEntry("max_attempts", 3)
                .containsEntry("version", 0L);
        assertThat(job.get("run_at")).isEqualTo(job.get("created_at"));
    }

    @Test
    void a_client_may_set_every_client_column() throws SQLException {
        var id = UUID.randomUUID();
        commit(DB, alice, """
                insert into imagen.jobs (id, owner_user_id, prompt, negative_prompt, backend,
                    model, style, width, height,
                                         steps, seed, priority, run_at, max_attempts, idempotency_key, params, count,
                                         input_image_id, strength, traceparent)
                values ('%s', '%s', 'a', 'b', 'c', 'd', 'e', 16, 17, 18, 19, -20,
                    now() + interval '1 day', 21, 'f', '{"a": 1}', 2, gen_random_uuid(), 0.5,
                    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
                returning id""".formatted(id, alice));
        assertThat(DB.job(id)).containsEntry("negative_prompt", "b").containsEntry("seed", 19L)
                .containsEntry("priority", -20).containsEntry("count", 2).containsEntry("strength", 0.5)
                .containsEntry("idempotency_key", "f")
                .containsEntry("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    }

    @Test
    void the_forged_values_cover_all_columns_that_are_not_the_clients() throws SQLException {
        var columns = new TreeSet<String>();
        DB.rows("select column_name::text from information_schema.columns "
                + "where table_schema = 'imagen' and table_name = 'jobs'")
                .forEach(row -> columns.add((String) row.get("column_name")));
        assertThat(columns).containsAll(CLIENT_COLUMNS);
        columns.removeAll(CLIENT_COLUMNS);
        assertThat(FORGED.keySet()).isEqualTo(columns);
    }

    static Stream<String> forgedColumns() {
        return FORGED.keySet().stream().sorted();
    }

    @ParameterizedTest
    @MethodSource("forgedColumns")
    void a_forged_value_is_refused_by_the_column_grants(String column) {
        assertThat(refusal(DB, alice, forged(column, FORGED.get(column)))).contains("permission denied for table jobs");
        assertThat(refusal(DB, alice, forged(column, "default"))).contains("permission denied for table jobs");
    }

    /** The request's hash is no privilege: it only tells an owner's own requests apart, and REST sets it. */
    static Stream<String> privilegedColumns() {
        return forgedColumns().filter(column -> !column.equals("request_hash"));
    }

    @ParameterizedTest
    @MethodSource("privilegedColumns")
    void a_forged_value_is_refused_by_the_policy_where_all_was_granted(String column) throws SQLException {
        insertImage(GRANTED, GRANTED.insertJob(alice), alice);
        assertThat(refusal(GRANTED, alice, forged(column, FORGED.get(column)))).contains("row-level security");
    }

    private static String forged(String column, String value) {
        return "insert into imagen.jobs (prompt, " + column + ") values ('a cat', " + value + ")";
    }

    @Test
    void where_all_was_granted_a_plain_insert_still_works() throws SQLException {
        assertThat(commit(GRANTED, alice, "insert into imagen.jobs (prompt) values ('a cat') returning id")).hasSize(1);
    }

    @Test
    void where_all_was_granted_a_client_still_changes_and_deletes_nothing() throws SQLException {
        var job = GRANTED.insertJob(alice);
        insertImage(GRANTED, job, alice);
        insertUsage(GRANTED, job, alice);
        insertProgress(GRANTED, job);
        try (Connection connection = GRANTED.as(alice); var statement = connection.createStatement()) {
            assertThat(statement.executeUpdate("update imagen.jobs set priority = 100")).isZero();
            assertThat(statement.executeUpdate("update imagen.images set path = 'x'")).isZero();
            assertThat(statement.executeUpdate("update imagen.usage set cost_usd = 0")).isZero();
            assertThat(statement.executeUpdate("update imagen.job_progress set step = 9")).isZero();
            assertThat(statement.executeUpdate("update imagen.workers set name = 'x'")).isZero();
            assertThat(statement.executeUpdate("update imagen.upkeep set last_round_at = 'infinity'")).isZero();
            for (var table : GRANTED.tables()) {
                assertThat(statement.executeUpdate("delete from imagen." + table)).as(table).isZero();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"""
            insert into imagen.images (owner_user_id, bucket, path, mime_type, width, height, byte_size,
                sha256, backend,
                                       model, prompt)
            values (auth.uid(), 'b', 'p', 'image/png', 1, 1, 1, '', 'mock', 'm', 'p')""", """
            insert into imagen.usage (owner_user_id, backend, model, outcome, duration_ms)
            values (auth.uid(), 'mock', 'm', 'done', 1)""", """
            insert into imagen.workers (id, name, backends) values (gen_random_uuid(), 'x', '{mock}')""", """
            insert into imagen.upkeep default values""", """
            insert into imagen.thumbnails (image_id, jpeg) values (gen_random_uuid(), '')""", """
            insert into imagen.job_progress (job_id, step, steps) select id, 1, 2 from imagen.jobs limit 1"""})
    void where_all_was_granted_a_client_still_inserts_into_no_other_table(String insert) throws SQLException {
        commit(GRANTED, alice, "insert into imagen.jobs (prompt) values ('a cat') returning id");
        assertThat(refusal(GRANTED, alice, insert)).contains("row-level security");
    }

    @Test
    void where_all_was_granted_anon_still_sees_and_does_nothing() throws SQLException {
        var job = GRANTED.insertJob(alice);
        try (Connection connection = GRANTED.superuser(); var statement = connection.createStatement()) {
            statement.execute("set role anon");
            for (var table : GRANTED.tables()) {
                assertThat(statement.executeQuery("select from imagen." + table).next()).as(table).isFalse();
            }
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> statement.execute("select imagen.cancel_job('" + job + "')"))
                    .withMessageContaining("no such job");
        }
    }

    @Test
    void a_job_for_another_owner_is_refused() {
        assertThat(
                refusal(DB, alice, "insert into imagen.jobs (owner_user_id, prompt) values ('" + bob + "', 'a cat')"))
                .contains("row-level security");
    }

    @Test
    void a_job_ahead_of_everybody_is_refused_and_one_behind_is_accepted() throws SQLException {
        assertThat(refusal(DB, alice, "insert into imagen.jobs (prompt, priority) values ('a cat', 1)"))
                .contains("row-level security");
        assertThat(commit(DB, alice, "insert into imagen.jobs (prompt, priority) values ('a cat', -1) returning id"))
                .hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"'1970-01-01'", "'-infinity'", "null"})
    void nobody_jumps_the_line_with_a_time_long_ago(String runAt) throws SQLException {
        var job = only(commit(DB, alice,
                "insert into imagen.jobs (prompt, run_at) values ('a cat', " + runAt + ") returning *"));
        assertThat(job.get("run_at")).isEqualTo(job.get("created_at"));
    }

    @Test
    void an_owner_updates_and_deletes_nothing_by_themselves() throws SQLException {
        DB.insertJob(alice);
        assertThat(refusal(DB, alice, "update imagen.jobs set prompt = 'another'")).contains("permission denied");
        assertThat(refusal(DB, alice, "delete from imagen.jobs")).contains("permission denied");
        assertThat(refusal(DB, alice, "truncate imagen.jobs cascade")).contains("permission denied");
    }

    @Test
    void an_owner_sees_only_what_is_theirs() throws SQLException {
        for (var owner : List.of(alice, bob)) {
            var job = DB.insertJob(owner);
            insertImage(DB, job, owner);
            insertUsage(DB, job, owner);
            insertProgress(DB, job);
        }
        for (var table : List.of("jobs", "images", "usage")) {
            assertThat(commit(DB, bob, "select owner_user_id from imagen." + table)).as(table)
                    .containsExactly(Map.of("owner_user_id", bob));
        }
        assertThat(commit(DB, bob, """
                select j.owner_user_id from imagen.job_progress p join imagen.jobs j on j.id = p.job_id"""))
                .containsExactly(Map.of("owner_user_id", bob));
        assertThat(commit(DB, bob, "select from imagen.job_progress")).hasSize(1);
        assertThat(commit(DB, UUID.randomUUID(), "select from imagen.job_progress")).isEmpty();
    }

    @Test
    void who_does_the_upkeep_is_invisible_to_owners() throws SQLException {
        assertThat(refusal(DB, alice, "select from imagen.upkeep")).contains("permission denied");
        assertThat(commit(GRANTED, alice, "select from imagen.upkeep")).isEmpty();
    }

    @Test
    void workers_are_invisible_to_owners() throws SQLException {
        assertThat(refusal(DB, alice, "select from imagen.workers")).contains("permission denied");
        GRANTED.execute("insert into imagen.workers (id, name, backends) values (gen_random_uuid(), 'x', '{mock}')");
        assertThat(commit(GRANTED, alice, "select from imagen.workers")).isEmpty();
    }

    @Test
    void a_client_without_an_owner_in_its_claims_sees_and_inserts_nothing() throws SQLException {
        DB.insertJob(alice);
        try (Connection connection = DB.as(alice); var statement = connection.createStatement()) {
            statement.execute("select set_config('request.jwt.claims', '{\"role\":\"authenticated\"}', true)");
            assertThat(statement.executeQuery("select from imagen.jobs").next()).isFalse();
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> statement.execute("insert into imagen.jobs (prompt) values ('a cat')"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cancel_job", "retry_job"})
    void an_unknown_and_a_foreign_job_cannot_be_told_apart(String function) throws SQLException {
        var foreign = DB.insertJob(alice);
        DB.execute("update imagen.jobs set status = 'failed' where id = '" + foreign + "'");
        var one = failure(DB, bob, "select * from imagen." + function + "('" + foreign + "')");
        var other = failure(DB, bob, "select * from imagen." + function + "('" + UUID.randomUUID() + "')");
        assertThat((Throwable) one).hasMessageContaining("no such job").hasMessage(other.getMessage());
        assertThat(one.getSQLState()).isEqualTo("PT404").isEqualTo(other.getSQLState());
        assertThat(DB.job(foreign)).containsEntry("status", "failed").containsEntry("cancel_requested_at", null);
    }

    @Test
    void a_place_in_line_is_told_to_the_owner_only() throws SQLException {
        var job = DB.insertJob(alice);
        assertThat(only(commit(DB, alice, "select imagen.job_position('" + job + "') as place")).get("place"))
                .isNotNull();
        assertThat(only(commit(DB, bob, "select imagen.job_position('" + job + "') as place")).get("place")).isNull();
    }

    @Test
    void an_owner_cancels_and_retries_their_own_job() throws SQLException {
        var job = DB.insertJob(alice);
        assertThat(only(commit(DB, alice, "select * from imagen.cancel_job('" + job + "')")))
                .containsEntry("status", "cancelled").doesNotContainEntry("completed_at", null);
        assertThat(only(commit(DB, alice, "select * from imagen.retry_job('" + job + "')")))
                .containsEntry("status", "pending").containsEntry("completed_at", null)
                .containsEntry("cancel_requested_at", null);
    }

    @ParameterizedTest
    @ValueSource(strings = {"delete_image", "restore_image"})
    void an_unknown_and_a_foreign_image_cannot_be_told_apart(String function) throws SQLException {
        var foreign = insertImage(DB, DB.insertJob(alice), alice);
        var one = failure(DB, bob, "select * from imagen." + function + "('" + foreign + "')");
        var other = failure(DB, bob, "select * from imagen." + function + "('" + UUID.randomUUID() + "')");
        assertThat((Throwable) one).hasMessageContaining("no such image").hasMessage(other.getMessage());
        assertThat(one.getSQLState()).isEqualTo("PT404").isEqualTo(other.getSQLState());
        assertThat(DB.row("select deleted_at from imagen.images where id = ?", foreign)).containsEntry("deleted_at",
                null);
    }

    @Test
    void an_owner_deletes_and_restores_their_own_image() throws SQLException {
        var job = DB.insertJob(alice);
        var image = insertImage(DB, job, alice);
        DB.execute("update imagen.jobs set status = 'done', image_id = '" + image + "' where id = '" + job + "'");
        var deleted = only(commit(DB, alice, "select * from imagen.delete_image('" + image + "')"));
        assertThat(deleted.get("deleted_at")).isNotNull();
        assertThat(DB.job(job)).containsEntry("image_id", null);
        assertThat(commit(DB, alice, "select from imagen.images")).isEmpty();
        assertThat(only(commit(DB, alice, "select * from imagen.delete_image('" + image + "')")))
                .containsEntry("deleted_at", deleted.get("deleted_at"));
        assertThat(only(commit(DB, alice, "select * from imagen.restore_image('" + image + "')")))
                .containsEntry("id", image).containsEntry("deleted_at", null);
        assertThat(DB.job(job)).containsEntry("image_id", image);
        assertThat(commit(DB, alice, "select from imagen.images")).hasSize(1);
    }

    @Test
    void an_image_is_deleted_by_the_clock_and_not_by_the_beginning_of_the_transaction() throws SQLException {
        var image = insertImage(DB, DB.insertJob(alice), alice);
        assertThat(
                only(commit(DB, alice, "select deleted_at > now() as later from imagen.delete_image('" + image + "')")))
                .containsEntry("later", true);
    }

    @Test
    void five_minutes_after_its_deletion_an_image_is_not_restored() throws SQLException {
        var image = insertImage(DB, DB.insertJob(alice), alice);
        DB.execute("update imagen.images set deleted_at = now() - interval '301 seconds'");
        var late = failure(DB, alice, "select * from imagen.restore_image('" + image + "')");
        assertThat(late.getSQLState()).isEqualTo("PT409");
        assertThat((Throwable) late).hasMessageContaining("deleted more than 5 minutes ago");
        assertThat(only(commit(DB, alice, "select deleted_at from imagen.delete_image('" + image + "')")))
                .isEqualTo(DB.row("select deleted_at from imagen.images where id = ?", image));
        DB.execute("update imagen.images set deleted_at = now() - interval '295 seconds'");
        assertThat(commit(DB, alice, "select * from imagen.restore_image('" + image + "')")).hasSize(1);
    }

    @Test
    void only_the_first_image_of_a_job_comes_back_to_it() throws SQLException {
        var job = DB.insertJob(alice);
        var first = insertImage(DB, job, alice);
        var second = insertImage(DB, job, 1, alice);
        DB.execute("update imagen.jobs set status = 'done', image_id = '" + first + "' where id = '" + job + "'");
        for (UUID image : List.of(first, second)) {
            commit(DB, alice, "select imagen.delete_image('" + image + "')");
        }
        commit(DB, alice, "select imagen.restore_image('" + second + "')");
        assertThat(DB.job(job)).containsEntry("image_id", null);
        commit(DB, alice, "select imagen.restore_image('" + first + "')");
        assertThat(DB.job(job)).containsEntry("image_id", first);
    }

    @Test
    void an_image_is_deleted_while_its_job_is_deleted_without_a_deadlock() throws Exception {
        var job = DB.insertJob(alice);
        var image = insertImage(DB, job, alice);
        try (Connection retention = DB.superuser(); var statement = retention.createStatement()) {
            retention.setAutoCommit(false);
            statement.execute("select from imagen.jobs where id = '" + job + "' for update");
            var deleting = CompletableFuture.supplyAsync(() -> {
                try {
                    return commit(DB, alice, "select * from imagen.delete_image('" + image + "')");
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            await().until(() -> !DB.rows(
                    "select from pg_stat_activity where datname = current_database()" + " and wait_event_type = 'Lock'")
                    .isEmpty());
            statement.execute("delete from imagen.jobs where id = '" + job + "'");
            retention.commit();
            assertThat(only(deleting.get(30, TimeUnit.SECONDS))).containsEntry("job_id", null)
                    .doesNotContainEntry("deleted_at", null);
        }
    }

    @Test
    void the_service_role_deletes_and_restores_everybodys_images_and_sees_deleted_ones() throws SQLException {
        var images = List.of(insertImage(DB, DB.insertJob(alice), alice), insertImage(DB, DB.insertJob(bob), bob));
        try (Connection connection = DB.as(alice); var statement = connection.createStatement()) {
            statement.execute("reset role");
            statement.execute("set local role service_role");
            for (UUID image : images) {
                statement.execute("select imagen.delete_image('" + image + "')");
                assertThat(statement.executeQuery("select from imagen.images where id = '" + image + "'").next())
                        .isTrue();
                statement.execute("select imagen.restore_image('" + image + "')");
            }
        }
    }

    @Test
    void the_service_role_sees_and_cancels_everybodys_jobs() throws SQLException {
        var jobs = List.of(DB.insertJob(alice), DB.insertJob(bob));
        try (Connection connection = DB.as(alice); var statement = connection.createStatement()) {
            statement.execute("reset role");
            statement.execute("set local role service_role");
            for (UUID job : jobs) {
                assertThat(statement.executeQuery("select from imagen.jobs where id = '" + job + "'").next()).isTrue();
                assertThat(statement.executeQuery("select from imagen.cancel_job('" + job + "')").next()).isTrue();
            }
            assertThat(statement.executeQuery("select from imagen.workers")).isNotNull();
        }
    }

    @Test
    void the_schemas_owner_without_claims_may_cancel_any_job() throws SQLException {
        var job = DB.insertJob(alice);
        assertThat(DB.row("select status from imagen.cancel_job(?)", job)).containsEntry("status", "cancelled");
    }

    @Test
    void the_schemas_owner_with_another_owners_claims_may_not() throws SQLException {
        var job = DB.insertJob(alice);
        try (Connection connection = DB.superuser(); var statement = connection.createStatement()) {
            statement.execute("select set_config('request.jwt.claims', '" + Caller.owner(bob).claims() + "', false)");
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> statement.execute("select imagen.cancel_job('" + job + "')"))
                    .withMessageContaining("no such job");
        }
    }

    @Test
    void a_login_without_any_right_on_the_schema_cannot_call_a_function() throws SQLException {
        var job = DB.insertJob(alice);
        try (Connection connection = DB.superuser(); var statement = connection.createStatement()) {
            statement.execute("set role anon");
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> statement.execute("select imagen.cancel_job('" + job + "')"))
                    .satisfies(e -> assertThat(e.getSQLState()).isEqualTo(INSUFFICIENT_PRIVILEGE));
        }
    }

    /** After its transaction a setting made by PostgREST is an empty text, not null. */
    @Test
    void claims_that_a_transaction_left_empty_are_no_claims() throws SQLException {
        try (Connection connection = DB.as(alice); var statement = connection.createStatement()) {
            connection.commit();
            var left = statement.executeQuery("""
                    select current_setting('request.jwt.claims') as claims, auth.uid() as owner, auth.role() as role,
                           auth.jwt() as jwt""");
            left.next();
            assertThat(left.getString("claims")).isEmpty();
            assertThat(left.getObject("owner")).isNull();
            assertThat(left.getObject("role")).isNull();
            assertThat(left.getObject("jwt")).isNull();
        }
    }

    @Test
    void the_older_settings_for_single_claims_are_understood_too() throws SQLException {
        try (Connection connection = DB.superuser(); var statement = connection.createStatement()) {
            statement.execute("select set_config('request.jwt.claim.sub', '" + alice
                    + "', false), set_config('request.jwt.claim.role', 'authenticated', false)");
            var claims = statement.executeQuery("select auth.uid() as owner, auth.role() as role");
            claims.next();
            assertThat(claims.getObject("owner")).isEqualTo(alice);
            assertThat(claims.getString("role")).isEqualTo("authenticated");
        }
    }

    private static List<Map<String, Object>> commit(TestDatabase db, UUID owner, String sql) throws SQLException {
        try (Connection connection = db.as(owner); var statement = connection.createStatement()) {
            var rows = TestDatabase.rows(statement.executeQuery(sql));
            connection.commit();
            return rows;
        }
    }

    private static Map<String, Object> only(List<Map<String, Object>> rows) {
        assertThat(rows).hasSize(1);
        return rows.getFirst();
    }

    /** The message of a statement that the owner has no right to. */
    private static String refusal(TestDatabase db, UUID owner, String sql) {
        var failure = failure(db, owner, sql);
        assertThat(failure.getSQLState()).as(failure.getMessage()).isEqualTo(INSUFFICIENT_PRIVILEGE);
        return failure.getMessage();
    }

    private static SQLException failure(TestDatabase db, UUID owner, String sql) {
        var failure = catchThrowableOfType(SQLException.class, () -> {
            try (Connection connection = db.as(owner); var statement = connection.createStatement()) {
                statement.execute(sql);
            }
        });
        assertThat((Throwable) failure).as("nothing refused: " + sql).isNotNull();
        return failure;
    }

    private static UUID insertImage(TestDatabase db, UUID job, UUID owner) throws SQLException {
        return insertImage(db, job, 0, owner);
    }

    private static UUID insertImage(TestDatabase db, UUID job, int position, UUID owner) throws SQLException {
        return (UUID) db.row("""
                insert into imagen.images (job_id, position, owner_user_id, bucket, path, mime_type, width, height,
                                           byte_size, sha256, backend, model, prompt)
                values (?, ?, ?, 'file', 'a.png', 'image/png', 1, 1, 1, '', 'mock', 'm', 'p') returning id""", job,
                position, owner).get("id");
    }

    private static void insertUsage(TestDatabase db, UUID job, UUID owner) throws SQLException {
        db.execute("""
                insert into imagen.usage (job_id, owner_user_id, backend, model, outcome, duration_ms)
                values ('%s', '%s', 'mock', 'm', 'done', 1)""".formatted(job, owner));
    }

    private static void insertProgress(TestDatabase db, UUID job) throws SQLException {
        db.execute("insert into imagen.job_progress (job_id, step, steps) values ('" + job + "', 1, 2)");
    }
}
