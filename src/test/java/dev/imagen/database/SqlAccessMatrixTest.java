package dev.imagen.database;

import static dev.imagen.database.TwoOwners.named;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What each role may do with each table and each function of the schema, as the migrations leave it and once more where
 * ALL was granted to everybody. Both are taken from the catalogue: a new one without a line here fails.
 */
@Tag("postgres")
class SqlAccessMatrixTest {

    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    @RegisterExtension
    static final TestDatabase MIGRATED = new TestDatabase();

    @RegisterExtension
    static final TestDatabase GRANTED = TestDatabase.grantedToAll();

    private static final Map<TestDatabase, Place> PLACES = new LinkedHashMap<>();

    /**
     * Where it is tried.
     *
     * @param connection one for all tries, each of which is a transaction that is rolled back
     * @param snapshot asks for all rows but those of Alice's jobs and images, which are hers to change
     */
    private record Place(TwoOwners rows, Connection connection, String snapshot) {

        static Place in(TestDatabase db) throws SQLException {
            var rows = TwoOwners.in(db);
            var connection = db.superuser();
            connection.setAutoCommit(false);
            var alice = rows.alice().get(":owner");
            var all = db.tables().stream().map(table -> "select '" + table + "' as name, t::text as row from imagen."
                    + table + " t"
                    + (List.of("jobs", "images").contains(table) ? " where owner_user_id <> '" + alice + "'" : ""))
                    .collect(joining(" union all "));
            return new Place(rows, connection,
                    "select string_agg(name || row, chr(10) order by name, row) from (" + all + ") as everything");
        }

        String snapshot(Statement statement) throws SQLException {
            try (var result = statement.executeQuery(snapshot)) {
                result.next();
                return result.getString(1);
            }
        }

        List<Map<String, Object>> rows(String sql) throws SQLException {
            try (var statement = connection.createStatement(); var result = statement.executeQuery(sql)) {
                return TestDatabase.rows(result);
            }
        }
    }

    /** Who asks about whose rows. */
    enum Who {
        ANON("anon", TwoOwners::bob), OWN("authenticated", TwoOwners::alice), OTHER("authenticated",
                TwoOwners::bob), SERVICE("service_role", TwoOwners::bob);

        private final String role;
        private final Function<TwoOwners, Map<String, String>> target;

        Who(String role, Function<TwoOwners, Map<String, String>> target) {
            this.role = role;
            this.target = target;
        }

        Map<String, String> target(TwoOwners rows) {
            return target.apply(rows);
        }

        /** As PostgREST sets them: an owner is Alice. */
        String claims(TwoOwners rows) {
            return role.equals("authenticated")
                    ? "{\"sub\": \"" + rows.alice().get(":owner") + "\", \"role\": \"authenticated\"}"
                    : "{\"role\": \"" + role + "\"}";
        }
    }

    /**
     * Each word is one of {@link Who}; its letters are select, insert, update, delete: {@code A} is done, {@code 0}
     * sees or changes no row, {@code X} is refused by row-level security, {@code -} is refused for want of a right.
     * Before the bar as migrated, behind it with ALL granted. Then the rows that are meant.
     */
    private static final String TABLES = """
            api_keys              ---- ---- ---- AAA- | 0X00 0X00 0X00 AAAA | owner_user_id = ':owner'
            flyway_schema_history ---- ---- ---- ---- | 0X00 0X00 0X00 0X00 | true
            images                ---- A--- 0--- AAAA | 0X00 AX00 0X00 AAAA | id = ':image'
            job_attempts          ---- A--- 0--- AAAA | 0X00 AX00 0X00 AAAA | job_id = ':done'
            job_progress          ---- A--- 0--- AAAA | 0X00 AX00 0X00 AAAA | job_id = ':running'
            jobs                  ---- AA-- 0X-- AAAA | 0X00 AA00 0X00 AAAA | owner_user_id = ':owner'
            limits                ---- ---- ---- A-A- | 0X00 0X00 0X00 AAAA | true
            pauses                ---- ---- ---- AAAA | 0X00 0X00 0X00 AAAA | true
            thumbnails            ---- A--- 0--- AA-A | 0X00 AX00 0X00 AAAA | image_id = ':image'
            queue_samples         ---- ---- ---- AA-A | 0X00 0X00 0X00 AAAA | true
            tickets               ---- ---- ---- AAAA | 0X00 0X00 0X00 AAAA | owner_user_id = ':owner'
            upkeep                ---- ---- ---- A-A- | 0X00 0X00 0X00 AAAA | true
            usage                 ---- A--- 0--- AAAA | 0X00 AX00 0X00 AAAA | owner_user_id = ':owner'
            workers               ---- ---- ---- AAAA | 0X00 0X00 0X00 AAAA | true
            """;

    private static final Map<String, String> INSERTS = Map.ofEntries(
            Map.entry("api_keys", "(name, role, owner_user_id, key_hash) values ('n', 'authenticated', ':owner', '')"),
            Map.entry("flyway_schema_history",
                    "(installed_rank, description, type, script, installed_by, execution_time, success)"
                            + " values (1000, 'x', 'SQL', 'x', 'x', 1, true)"),
            Map.entry("images",
                    "(owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256, backend, model, prompt)"
                            + " values (':owner', 'b', 'p', 'image/png', 1, 1, 1, '', 'mock', 'm', 'p')"),
            Map.entry("job_attempts", "(job_id, attempt, outcome) values (':running', 7, 'done')"),
            Map.entry("job_progress", "(job_id, step, steps) values (':done', 1, 2)"),
            Map.entry("jobs", "(owner_user_id, prompt) values (':owner', 'a cat')"),
            Map.entry("limits", "(pending_per_owner) values (1)"), Map.entry("pauses", "(backend) values ('another')"),
            Map.entry("thumbnails", "(image_id, jpeg) values (':image', '')"),
            Map.entry("queue_samples", "(taken_at, backend, pending, running) values (now(), 'mock', 1, 1)"),
            Map.entry("tickets",
                    "(ticket_hash, role, claims, owner_user_id, expires_at)"
                            + " values ('', 'authenticated', '{}', ':owner', now())"),
            Map.entry("upkeep", "(holder) values (null)"),
            Map.entry("usage",
                    "(owner_user_id, backend, model, outcome, duration_ms)"
                            + " values (':owner', 'mock', 'm', 'done', 1)"),
            Map.entry("workers", "(id, name, backends) values (gen_random_uuid(), 'x', '{mock}')"));

    /** As in {@link #TABLES}, with one letter for each of {@link Who}: {@code 0} also answers nothing, or "no such". */
    private static final String FUNCTIONS = """
            cancel_job(uuid)             -A0A | 0A0A | cancel_job(':pending')
            cancel_jobs(text,uuid,text,timestamptz,timestamptz) ---A | ---A | cancel_jobs()
            changeable_image(uuid)       ---- | 000A | changeable_image(':image')
            check_budget(uuid[])         ---- | 000A | check_budget(array[':owner']::uuid[])
            check_pending_limit(uuid[])  ---- | 000A | check_pending_limit(array[':owner']::uuid[])
            delete_image(uuid)           -A0A | 0A0A | delete_image(':image')
            free_slots(text,integer)     ---A | 000A | free_slots('mock', 100) as free where free <= 98
            job_position(uuid)           -A0A | 0A0A | job_position(':pending')
            may_change(uuid)             ---- | -A0A | may_change(':owner')
            oldest_transaction()         ---A | ---A | oldest_transaction()
            pause(text)                  ---A | XXXA | pause('another')
            pending_room(uuid)           ---- | 000A | pending_room(':owner')
            queue_depths()               ---A | ---A | queue_depths()
            restore_image(uuid)          -A0A | 0A0A | restore_image(':image')
            restore_time()               ---A | AAAA | restore_time()
            resume(text)                 ---A | 000A | resume('mock')
            retry_job(uuid)              -A0A | 0A0A | retry_job(':failed')
            retry_jobs(text,uuid,text,timestamptz,timestamptz,uuid[]) ---A | ---A | retry_jobs()
            retry_room(uuid)             ---- | 000A | retry_room(':owner')
            schema_version()             ---A | AAAA | schema_version()
            """;

    /** What must be so, that there is something to tell. */
    private static final Map<String, String> GIVEN = Map.of("check_pending_limit(uuid[])",
            "update imagen.limits set pending_per_owner = 1", "pending_room(uuid)",
            "update imagen.limits set pending_per_owner = 1", "retry_room(uuid)",
            "update imagen.limits set pending_per_owner = 1", "check_budget(uuid[])",
            "update imagen.limits set budget_usd = 0.000001; update imagen.usage set cost_usd = 1");

    @BeforeAll
    static void fill() throws SQLException {
        for (var db : List.of(MIGRATED, GRANTED)) {
            PLACES.put(db, Place.in(db));
        }
    }

    @AfterAll
    static void disconnect() throws SQLException {
        for (var place : PLACES.values()) {
            place.connection().close();
        }
    }

    private static Map<String, String[]> lines(String table) {
        return table.lines().map(line -> line.split("\\s+", 2))
                .collect(toMap(parts -> parts[0], parts -> parts[1].strip().split(" *\\| *", 3)));
    }

    @Test
    void the_matrix_has_every_table_of_the_schema() throws SQLException {
        assertThat(lines(TABLES).keySet()).containsExactlyInAnyOrderElementsOf(MIGRATED.tables())
                .isEqualTo(INSERTS.keySet());
    }

    @Test
    void the_matrix_has_every_function_of_the_schema() throws SQLException {
        assertThat(lines(FUNCTIONS).keySet()).isEqualTo(functions("prorettype <> 'trigger'::regtype"));
    }

    private static Set<String> functions(String which) throws SQLException {
        return MIGRATED
                .rows("""
                        select replace(replace(oid::regprocedure::text, 'imagen.', ''), 'timestamp with time zone', 'timestamptz')
                               as name from pg_proc
                         where pronamespace = 'imagen'::regnamespace and"""
                        + " " + which)
                .stream().map(row -> (String) row.get("name")).collect(toSet());
    }

    static Stream<Arguments> tables() {
        return lines(TABLES).entrySet().stream().flatMap(table -> everybody((granted, who) -> Arguments
                .of(table.getKey(), granted, who, table.getValue()[granted ? 1 : 0].split(" ")[who.ordinal()])));
    }

    static Stream<Arguments> calls() {
        return lines(FUNCTIONS).entrySet().stream().flatMap(function -> everybody((granted, who) -> Arguments
                .of(function.getKey(), granted, who, function.getValue()[granted ? 1 : 0].charAt(who.ordinal()))));
    }

    private static Stream<Arguments> everybody(BiFunction<Boolean, Who, Arguments> one) {
        return Stream.of(false, true)
                .flatMap(granted -> Arrays.stream(Who.values()).map(who -> one.apply(granted, who)));
    }

    @ParameterizedTest(name = "{0}, granted {1}, {2}: {3}")
    @MethodSource("tables")
    void a_table_shows_and_takes_what_is_the_roles(String table, boolean granted, Who who, String expected)
            throws SQLException {
        var rows = "imagen." + table + " where " + lines(TABLES).get(table)[2];
        var db = granted ? GRANTED : MIGRATED;
        var place = PLACES.get(db);
        assertThat(place.rows("select from " + named(rows, who.target(place.rows())))).isNotEmpty();
        var column = place.rows("select attname::text from pg_attribute where attnum = 1 and attrelid = 'imagen."
                + table + "'::regclass").getFirst().get("attname");
        var outcomes = new StringBuilder();
        for (var sql : List.of("select * from " + rows, "insert into imagen." + table + " " + INSERTS.get(table),
                "update imagen." + table + " set " + column + " = " + column + " where " + rows.split(" where ")[1],
                "delete from " + rows)) {
            outcomes.append(outcome(db, who, sql));
        }
        assertThat(outcomes).hasToString(expected);
    }

    @ParameterizedTest(name = "{0}, granted {1}, {2}: {3}")
    @MethodSource("calls")
    void a_function_does_and_tells_what_is_the_roles(String function, boolean granted, Who who, char expected)
            throws SQLException {
        var db = granted ? GRANTED : MIGRATED;
        assertThat(outcome(db, who, GIVEN.getOrDefault(function, ""),
                "select * from imagen." + lines(FUNCTIONS).get(function)[2])).isEqualTo(expected);
    }

    private static char outcome(TestDatabase db, Who who, String sql) throws SQLException {
        return outcome(db, who, "", sql);
    }

    /** What comes of a statement, which is rolled back; nobody's rows but the caller's own may be others behind it. */
    private static char outcome(TestDatabase db, Who who, String given, String sql) throws SQLException {
        var place = PLACES.get(db);
        var connection = place.connection();
        try (var statement = connection.createStatement()) {
            statement.execute(given);
            var before = place.snapshot(statement);
            try (var claims = connection.prepareStatement("select set_config('request.jwt.claims', ?, true)")) {
                claims.setString(1, who.claims(place.rows()));
                claims.execute();
            }
            statement.execute("set local role " + who.role);
            char outcome = outcome(statement, named(sql, who.target(place.rows())));
            if (outcome == '0' || outcome == 'A' && who != Who.SERVICE) {
                statement.execute("reset role");
                assertThat(place.snapshot(statement)).as("rows that are not the caller's").isEqualTo(before);
            }
            return outcome;
        } finally {
            connection.rollback();
        }
    }

    private static char outcome(Statement statement, String sql) throws SQLException {
        statement.execute("savepoint asked");
        var failure = catchThrowableOfType(SQLException.class, () -> statement.execute(sql));
        if (failure == null) {
            return statement.getResultSet() == null
                    ? statement.getUpdateCount() == 0 ? '0' : 'A'
                    : TestDatabase.rows(statement.getResultSet()).stream().anyMatch(SqlAccessMatrixTest::tells)
                            ? 'A'
                            : '0';
        }
        statement.execute("rollback to savepoint asked");
        return switch (failure.getSQLState()) {
            case INSUFFICIENT_PRIVILEGE -> failure.getMessage().contains("row-level security") ? 'X' : '-';
            case "PT404" -> '0';
            // A limit tells something, and a constraint is asked only when all rights were there.
            case "PT402", "PT429", "23505" -> 'A';
            default -> throw failure;
        };
    }

    private static boolean tells(Map<String, Object> row) {
        return !row.values().stream()
                .allMatch(value -> value == null || value.equals(false) || value.toString().isEmpty());
    }

    // What GRANT ALL gives besides, and no policy stands before

    @ParameterizedTest
    @EnumSource(Who.class)
    void no_table_is_truncated_but_by_its_owner(Who who) throws SQLException {
        for (var table : GRANTED.tables()) {
            assertThat(outcome(GRANTED, who, "truncate imagen." + table + " cascade")).as(table).isEqualTo('-');
        }
    }

    @Test
    void there_is_no_sequence_that_could_be_set_back() throws SQLException {
        assertThat(MIGRATED.rows(
                "select relname from pg_class where relnamespace = 'imagen'::regnamespace" + " and relkind = 'S'"))
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Who.class)
    void a_trigger_function_cannot_be_called(Who who) throws SQLException {
        var functions = functions("prorettype = 'trigger'::regtype");
        assertThat(functions).isNotEmpty();
        for (var function : functions) {
            assertThat(
                    catchThrowableOfType(SQLException.class, () -> outcome(GRANTED, who, "select imagen." + function))
                            .getSQLState())
                    .as(function).isEqualTo("0A000");
        }
    }

    @Test
    void a_trigger_function_that_runs_as_its_owner_is_of_no_use_on_another_table() throws SQLException {
        var definers = functions("prorettype = 'trigger'::regtype and prosecdef");
        assertThat(definers).containsExactly("jobs_after_insert()");
        try (Connection connection = GRANTED.as(UUID.fromString(PLACES.get(GRANTED).rows().alice().get(":owner")));
                var statement = connection.createStatement()) {
            statement.execute("create temporary table mine (id text, owner_user_id uuid, status text)");
            statement.execute("create trigger mine after insert on mine referencing new table as after_rows"
                    + " for each statement execute function imagen.jobs_after_insert()");
            assertThat(outcome(statement, "insert into mine values ('x', gen_random_uuid(), 'pending')"))
                    .isEqualTo('-');
        }
    }

    @Test
    void a_schema_that_was_granted_before_it_was_filled_shows_nothing_of_others_either() throws SQLException {
        var db = TestDatabase.empty();
        try {
            db.execute("create schema imagen");
            db.grantToAll();
            new Migrations(db.settings()).run();
            PLACES.put(db, Place.in(db));
            for (var table : db.tables()) {
                for (var who : List.of(Who.ANON, Who.OTHER)) {
                    var rows = " from imagen." + table + " where " + lines(TABLES).get(table)[2];
                    assertThat(outcome(db, who, "select *" + rows)).as(table).isIn('0', '-');
                    assertThat(outcome(db, who, "delete" + rows)).as(table).isIn('0', '-');
                    assertThat(outcome(db, who, "truncate imagen." + table + " cascade")).as(table).isEqualTo('-');
                }
            }
        } finally {
            PLACES.remove(db).connection().close();
            db.close();
        }
    }
}
