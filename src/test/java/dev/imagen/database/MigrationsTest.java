package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.testing.TestServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The migrations by a superuser, on databases that hold nothing, too little, or what Supabase brings. */
@Tag("postgres")
class MigrationsTest {

    /** The files in {@code sql}. */
    static final int ALL = Path.of("sql").toFile().list((_, name) -> name.endsWith(".sql")).length;

    private static final String[] SUPABASE = {"create schema auth", """
            create function auth.uid() returns uuid language sql stable as
                $$ select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$""", """
            create function auth.role() returns text language sql stable as
                $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role')::text $$""", """
            create function auth.jwt() returns jsonb language sql stable as
                $$ select coalesce(nullif(current_setting('request.jwt.claim', true), ''),
                    nullif(current_setting('request.jwt.claims', true), ''))::jsonb $$""",
            "grant usage on schema auth to anon, authenticated, service_role"};

    @Test
    void an_empty_database_gets_the_whole_schema_once() throws SQLException {
        var settings = TestServer.shared().emptyDatabase();
        assertThat(new Migrations(settings).run()).isEqualTo(ALL);
        assertThat(new Migrations(settings).run()).isZero();
        assertThat(column(settings,
                "select table_name::text from information_schema.tables " + "where table_schema = 'imagen'"))
                .containsExactlyInAnyOrder("jobs", "images", "usage", "workers", "job_progress", "job_attempts",
                        "pauses", "limits", "queue_samples", "upkeep", "api_keys", "tickets", "thumbnails",
                        "flyway_schema_history");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void replicas_that_start_together_apply_each_migration_once(int replicas) throws Exception {
        var settings = TestServer.shared().emptyDatabase();
        assertThat(atOnce(IntStream.range(0, replicas).mapToObj(_ -> settings).toList()).stream()
                .mapToInt(Integer::intValue).sum()).isEqualTo(ALL);
    }

    @Test
    void two_databases_of_one_server_can_be_migrated_at_once() throws Exception {
        assertThat(atOnce(List.of(TestServer.shared().emptyDatabase(), TestServer.shared().emptyDatabase())))
                .containsExactly(ALL, ALL);
    }

    /** @return how many migrations each applied */
    static List<Integer> atOnce(List<DatabaseSettings> replicas) throws Exception {
        var start = new CyclicBarrier(replicas.size());
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var running = replicas.stream().map(settings -> executor.submit((Callable<Integer>) () -> {
                start.await();
                return new Migrations(settings).run();
            })).toList();
            var applied = new ArrayList<Integer>();
            for (var one : running) {
                applied.add(one.get());
            }
            return applied;
        }
    }

    @Test
    void what_supabase_brings_is_left_as_it_is() throws SQLException {
        var settings = TestServer.shared().emptyDatabase();
        execute(settings, SUPABASE);
        var functions = authFunctions(settings);
        var schema = column(settings, "select nspacl::text from pg_namespace where nspname = 'auth'");
        var roles = column(settings, "select r::text from pg_roles r where rolname in "
                + "('anon', 'authenticated', 'service_role') order by rolname");
        assertThat(new Migrations(settings).run()).isEqualTo(ALL);
        assertThat(authFunctions(settings)).hasSize(3).isEqualTo(functions);
        assertThat(column(settings, "select nspacl::text from pg_namespace where nspname = 'auth'")).isEqualTo(schema);
        assertThat(column(settings, "select r::text from pg_roles r where rolname in "
                + "('anon', 'authenticated', 'service_role') order by rolname")).isEqualTo(roles);
    }

    @Test
    void a_claim_function_that_is_there_is_kept_and_the_others_are_added() throws SQLException {
        var settings = TestServer.shared().emptyDatabase();
        execute(settings, SUPABASE[0], SUPABASE[1]);
        var uid = authFunctions(settings);
        new Migrations(settings).run();
        assertThat(authFunctions(settings)).hasSize(3).containsAllEntriesOf(uid);
    }

    /** A dump holds it too, for as long as it takes; every statement on the table would wait behind the migration. */
    @Test
    void a_migration_that_waits_for_a_table_gives_up_soon_and_the_next_one_does_it() throws SQLException {
        var settings = TestServer.shared().newDatabase();
        var column = new Migrations(settings, Duration.ofMillis(50), "classpath:sql", "classpath:sql-next/column");
        try (Connection dump = Connections.open(settings.owner(), settings.timeout())) {
            dump.setAutoCommit(false);
            dump.createStatement().execute("lock table imagen.jobs in access share mode");
            assertThatExceptionOfType(DatabaseException.class).isThrownBy(column::run)
                    .withMessageContaining("changed nothing and may be run again");
        }
        assertThat(column.run()).isOne();
    }

    @Test
    void an_index_can_be_made_beside_writers() throws SQLException {
        var settings = TestServer.shared().newDatabase();
        var index = new Migrations(settings, Duration.ofSeconds(5), "classpath:sql", "classpath:sql-next/index");
        assertThat(index.run()).isOne();
        assertThat(column(settings, "select indisvalid from pg_index where indexrelid = 'imagen.jobs_next'::regclass"))
                .containsExactly("t");
    }

    private static Map<String, String> authFunctions(DatabaseSettings settings) throws SQLException {
        var names = column(settings,
                "select proname::text from pg_proc where pronamespace = 'auth'::regnamespace " + "order by 1");
        var definitions = column(settings, "select pg_get_functiondef(oid) || proowner || coalesce(proacl::text, '') "
                + "from pg_proc where pronamespace = 'auth'::regnamespace order by proname::text");
        var functions = new LinkedHashMap<String, String>();
        IntStream.range(0, names.size()).forEach(i -> functions.put(names.get(i), definitions.get(i)));
        return functions;
    }

    private static void execute(DatabaseSettings settings, String... statements) throws SQLException {
        try (Connection connection = Connections.open(settings.owner(), settings.timeout());
                var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static List<String> column(DatabaseSettings settings, String sql) throws SQLException {
        try (Connection connection = Connections.open(settings.owner(), settings.timeout());
                var result = connection.createStatement().executeQuery(sql)) {
            var values = new ArrayList<String>();
            while (result.next()) {
                values.add(result.getString(1));
            }
            return values;
        }
    }
}
