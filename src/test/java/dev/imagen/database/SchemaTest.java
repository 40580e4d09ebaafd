package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.util.PSQLException;

/** The migrated schema: what it refuses, and what it gives to whom. */
@Tag("postgres")
class SchemaTest {

    private static final String CHECK_VIOLATION = "23514";
    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    static Stream<Arguments> refusedValues() {
        return Stream.of(arguments("jobs_prompt_length", "prompt", "''"),
                arguments("jobs_prompt_length", "prompt", "repeat('x', 32001)"),
                arguments("jobs_prompt_length", "prompt", "repeat('😀', 32001)"),
                arguments("jobs_prompt_not_blank", "prompt", "E' \\t\\r\\n '"),
                arguments("jobs_negative_prompt_length", "negative_prompt", "repeat('x', 32001)"),
                arguments("jobs_backend_length", "backend", "''"),
                arguments("jobs_backend_length", "backend", "repeat('x', 201)"),
                arguments("jobs_model_length", "model", "''"),
                arguments("jobs_model_length", "model", "repeat('x', 201)"),
                arguments("jobs_style_length", "style", "''"),
                arguments("jobs_style_length", "style", "repeat('x', 201)"),
                arguments("jobs_width_range", "width", "15"), arguments("jobs_width_range", "width", "8193"),
                arguments("jobs_height_range", "height", "15"), arguments("jobs_height_range", "height", "8193"),
                arguments("jobs_steps_range", "steps", "0"), arguments("jobs_steps_range", "steps", "10001"),
                arguments("jobs_seed_range", "seed", "-1"), arguments("jobs_seed_range", "seed", "9007199254740992"),
                arguments("jobs_priority_range", "priority", "101"),
                arguments("jobs_priority_range", "priority", "-101"),
                arguments("jobs_run_at_finite", "run_at", "'infinity'"),
                arguments("jobs_max_attempts_range", "max_attempts", "0"),
                arguments("jobs_max_attempts_range", "max_attempts", "26"),
                arguments("jobs_idempotency_key_length", "idempotency_key", "''"),
                arguments("jobs_idempotency_key_length", "idempotency_key", "repeat('x', 256)"),
                arguments("jobs_params_object", "params", "'[1]'"), arguments("jobs_params_object", "params", "'null'"),
                arguments("jobs_params_size", "params", "jsonb_build_object('a', repeat('x', 16384))"),
                arguments("jobs_count_range", "count", "0"), arguments("jobs_count_range", "count", "11"),
                arguments("jobs_strength_range", "input_image_id, strength", "gen_random_uuid(), -0.01"),
                arguments("jobs_strength_range", "input_image_id, strength", "gen_random_uuid(), 1.01"),
                arguments("jobs_strength_range", "input_image_id, strength", "gen_random_uuid(), 'NaN'"),
                arguments("jobs_strength_needs_input", "strength", "0.5"),
                arguments("jobs_traceparent_format", "traceparent", "''"),
                arguments("jobs_traceparent_format", "traceparent",
                        "'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331'"),
                arguments("jobs_traceparent_format", "traceparent",
                        "'01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'"),
                arguments("jobs_traceparent_format", "traceparent",
                        "'00-00000000000000000000000000000000-b7ad6b7169203331-01'"),
                arguments("jobs_traceparent_format", "traceparent",
                        "'00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01'"),
                arguments("jobs_traceparent_format", "traceparent",
                        "'00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01'"),
                arguments("jobs_traceparent_format", "traceparent",
                        "E'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\\n'"),
                arguments("jobs_status_known", "status", "'finished'"));
    }

    @ParameterizedTest(name = "{0}: {1} = {2}")
    @MethodSource("refusedValues")
    void a_bad_value_is_refused_by_the_constraint_that_a_client_can_show(String constraint, String column,
            String value) {
        assertThatExceptionOfType(PSQLException.class).isThrownBy(() -> DB.execute(insert(column, value)))
                .satisfies(e -> {
                    assertThat(e.getSQLState()).isEqualTo(CHECK_VIOLATION);
                    assertThat(e.getServerErrorMessage().getConstraint()).isEqualTo(constraint);
                });
    }

    @ParameterizedTest(name = "{0} = {1}")
    @CsvSource(delimiter = '|', value = {"prompt|'x'", "prompt|repeat('x', 32000)", "prompt|repeat('😀', 32000)",
            "negative_prompt|''", "backend|repeat('x', 200)", "width|16", "width|8192", "height|16", "height|8192",
            "steps|1", "steps|10000", "seed|0", "seed|9007199254740991", "max_attempts|1", "max_attempts|25", "count|1",
            "count|10", "input_image_id, strength|gen_random_uuid(), 0",
            "input_image_id, strength|gen_random_uuid(), 1", "idempotency_key|repeat('😀', 255)",
            "params|jsonb_build_object('a', repeat('x', 16375))",
            "traceparent|'00-00000000000000000000000000000001-f000000000000000-ff'"}, quoteCharacter = '"')
    void the_last_good_value_is_accepted(String column, String value) throws SQLException {
        DB.execute(insert(column, value));
    }

    private static String insert(String column, String value) {
        return column.equals("prompt")
                ? "insert into imagen.jobs (owner_user_id, prompt) values (gen_random_uuid(), " + value + ")"
                : "insert into imagen.jobs (owner_user_id, prompt, " + column
                        + ") values (gen_random_uuid(), 'a test', " + value + ")";
    }

    @Test
    void every_check_of_jobs_is_tried_above() throws SQLException {
        var names = DB.rows(
                "select conname from pg_constraint where conrelid = 'imagen.jobs'::regclass " + "and contype = 'c'");
        assertThat(refusedValues().map(value -> value.get()[0]).collect(Collectors.toSet()))
                .isEqualTo(texts(names, "conname"));
    }

    @Test
    void the_same_idempotency_key_twice_is_refused_for_one_owner_and_accepted_for_two() throws SQLException {
        var insert = "insert into imagen.jobs (owner_user_id, prompt, idempotency_key) values ('%s', 'a test', 'k')";
        var first = insert.formatted("00000000-0000-4000-8000-00000000000a");
        DB.execute(first, insert.formatted("00000000-0000-4000-8000-00000000000b"));
        assertThatExceptionOfType(PSQLException.class).isThrownBy(() -> DB.execute(first)).satisfies(
                e -> assertThat(e.getServerErrorMessage().getConstraint()).isEqualTo("jobs_idempotency_key"));
    }

    @Test
    void deleting_an_image_leaves_its_job_and_deleting_a_job_leaves_its_image() throws SQLException {
        var job = DB.insertJob(UUID.randomUUID());
        DB.execute("""
                insert into imagen.images (job_id, owner_user_id, bucket, path, mime_type, width, height, byte_size,
                                           sha256, backend, model, prompt)
                select id, owner_user_id, 'file', 'a.png', 'image/png', 1, 1, 1, '', 'mock', 'm', 'p'
                  from imagen.jobs where id = '%s'""".formatted(job),
                "update imagen.jobs set image_id = (select id from imagen.images where job_id = jobs.id)",
                "delete from imagen.images where job_id = '" + job + "'");
        assertThat(DB.job(job)).containsEntry("image_id", null);
    }

    @Test
    void every_table_has_row_level_security() throws SQLException {
        var tables = DB.rows("select relname, relrowsecurity from pg_class "
                + "where relnamespace = 'imagen'::regnamespace and relkind in ('r', 'p')");
        assertThat(texts(tables, "relname")).contains("jobs", "images", "usage", "workers", "job_progress",
                "job_attempts", "upkeep", "flyway_schema_history");
        assertThat(tables).allSatisfy(table -> assertThat(table).containsEntry("relrowsecurity", true));
    }

    @Test
    void no_function_is_executable_by_public_or_anon() throws SQLException {
        var open = DB.rows("""
                select p.oid::regprocedure::text as function from pg_proc p
                 where p.pronamespace = 'imagen'::regnamespace
                   and (has_function_privilege('anon', p.oid, 'execute')
                        or exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
                                    where a.grantee = 0))""");
        assertThat(open).isEmpty();
        assertThat(DB.rows("select from pg_proc where pronamespace = 'imagen'::regnamespace")).isNotEmpty();
    }

    @Test
    void every_function_looks_for_temporary_objects_last() throws SQLException {
        assertThat(DB.rows("""
                select oid::regprocedure::text from pg_proc
                 where pronamespace in ('imagen'::regnamespace, 'auth'::regnamespace)
                   and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false)""")).isEmpty();
    }

    @Test
    void what_is_inserted_later_has_the_greater_id() throws SQLException {
        assumeTrue(Integer.parseInt(TestServer.version()) >= 18, "ids are random there");
        var owner = UUID.randomUUID();
        var earlier = DB.insertJob(owner);
        DB.execute("select pg_sleep(0.002)");
        assertThat(earlier.version()).isEqualTo(7);
        assertThat(DB.insertJob(owner).toString()).isGreaterThan(earlier.toString());
    }

    @Test
    void a_place_in_line_is_counted_to_a_thousand() throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, backend, run_at)"
                + " select gen_random_uuid(), 'x', 'a long line', now() + i * interval '1 second'"
                + " from generate_series(1, 1002) as i");
        assertThat(DB.rows("select imagen.job_position(id) as place from imagen.jobs where backend = 'a long line'"
                + " order by run_at")).extracting(row -> row.get("place")).startsWith(1L, 2L, 3L)
                .endsWith(999L, 1000L, 1000L, 1000L);
    }

    /** Named like one that the functions use, and in the schema where they would look first. */
    @Test
    void a_type_of_the_callers_own_runs_nothing_as_the_functions_owner() throws SQLException {
        var owner = UUID.randomUUID();
        var job = DB.insertJob(owner);
        try (var connection = DB.as(owner); var statement = connection.createStatement()) {
            statement.execute("""
                    create temporary table ran_as (who text);
                    grant all on ran_as to public;
                    create function pg_temp.spy(value pg_catalog.uuid) returns boolean language plpgsql as
                        $$ begin insert into pg_temp.ran_as values (current_user); return true; end $$;
                    grant execute on function pg_temp.spy(pg_catalog.uuid) to public;
                    create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.spy(value))""");
            statement.execute("select imagen.job_position('" + job + "'), imagen.cancel_job('" + job + "')");
            var ranAs = TestDatabase.rows(statement.executeQuery("select distinct who from pg_temp.ran_as"));
            assertThat(texts(ranAs, "who")).isSubsetOf("authenticated");
        }
    }

    @Test
    void anon_has_no_right_on_the_schema_or_on_any_table_or_column() throws SQLException {
        assertThat(DB.row("select has_schema_privilege('anon', 'imagen', 'usage, create') as may")).containsEntry("may",
                false);
        assertThat(DB.rows("""
                select relname from pg_class where relnamespace = 'imagen'::regnamespace and relkind in ('r', 'S')
                   and case relkind when 'S' then has_sequence_privilege('anon', oid, 'usage, select, update')
                       else has_table_privilege('anon', oid, 'select, insert, update, delete, truncate, trigger')
                            or has_any_column_privilege('anon', oid, 'select, insert, update') end""")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"jobs", "images", "usage", "workers", "job_progress", "job_attempts", "upkeep",
            "flyway_schema_history"})
    void anon_can_select_nothing(String table) throws SQLException {
        try (Connection connection = DB.superuser(); var statement = connection.createStatement()) {
            statement.execute("set role anon");
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(() -> statement.execute("select from imagen." + table))
                    .satisfies(e -> assertThat(e.getSQLState()).isEqualTo(INSUFFICIENT_PRIVILEGE));
        }
    }

    @Test
    void the_services_login_is_no_superuser_and_owns_nothing() throws SQLException {
        var login = DB.settings().service().username();
        assertThat(DB
                .row("select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles where rolname = ?", login)
                .values()).containsOnly(false);
        assertThat(DB.rows("select from pg_shdepend where deptype = 'o' and refobjid = ?::regrole", login)).isEmpty();
    }

    @Test
    void the_services_login_does_the_services_work_with_the_rights_of_service_role() throws SQLException {
        var job = DB.insertJob(UUID.randomUUID());
        assertThat(DB.database().update("update imagen.jobs set error = 'seen' where id = ?::uuid", job)).isOne();
    }

    private static Set<Object> texts(List<Map<String, Object>> rows, String column) {
        return rows.stream().map(row -> row.get(column)).collect(Collectors.toSet());
    }
}
