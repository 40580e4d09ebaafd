package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Acting for a caller on pooled connections; a pool of one, so that each use of it meets what the last one left. */
@Tag("postgres")
class DatabaseTest {

    private static final String SESSION = """
            select pg_backend_pid() as pid, current_user::text as role, current_setting('role') as setting,
                   coalesce(current_setting('request.jwt.claims', true), '') as claims,
                   coalesce(current_setting('imagen.request_hash', true), '') as hash
            """;
    private static final String JOBS = "select count(*) as jobs from imagen.jobs";

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final UUID alice = UUID.randomUUID();
    private final UUID bob = UUID.randomUUID();
    private Database database;

    record State(int pid, String role, String setting, String claims, String hash) {
        static State of(Row row) {
            return new State(row.integer("pid"), row.text("role"), row.text("setting"), row.text("claims"),
                    row.text("hash"));
        }
    }

    @BeforeEach
    void open() throws SQLException {
        DB.clear();
        database = new Database(DB.settings(1));
    }

    @AfterEach
    void close() {
        database.close();
    }

    private State service() {
        return database.one(SESSION, State::of).orElseThrow();
    }

    private State as(UUID owner) {
        return database.as(Caller.owner(owner), session -> session.one(SESSION, State::of)).orElseThrow();
    }

    @Test
    void work_for_a_caller_runs_as_the_callers_role_with_the_callers_claims() {
        var state = as(alice);
        assertThat(state.role()).isEqualTo("authenticated");
        assertThat(state.claims()).isEqualTo(Caller.owner(alice).claims());
    }

    @Test
    void nothing_of_a_caller_stays_on_the_connection() {
        var before = service();
        var during = database.as(Caller.owner(alice), session -> {
            session.query("select set_config('imagen.request_hash', '00', true)", _ -> true);
            return session.one(SESSION, State::of).orElseThrow();
        });
        assertThat(during.hash()).isEqualTo("00");
        assertThat(during.pid()).isEqualTo(before.pid());
        assertThat(service()).isEqualTo(before);
    }

    @Test
    void nothing_of_a_caller_stays_after_a_statement_that_failed() {
        var before = service();
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> database.as(Caller.owner(alice), session -> session.query("select 1 / 0", _ -> 1)))
                .satisfies(e -> assertThat(e.state()).isEqualTo("22012"));
        assertThat(service()).isEqualTo(before);
    }

    @Test
    void nothing_of_a_caller_stays_after_work_that_threw() {
        var before = service();
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> database.as(Caller.owner(alice), session -> {
                    insert(session, alice);
                    throw new IllegalStateException("in the midst of it");
                }));
        assertThat(service()).isEqualTo(before);
        assertThat(count()).isZero();
    }

    @Test
    void nothing_of_a_caller_stays_after_claims_that_are_no_json() {
        var before = service();
        assertThatExceptionOfType(DatabaseException.class).isThrownBy(
                () -> database.as(new Caller("authenticated", "no json", Optional.of(alice), Optional.empty()),
                        session -> session.query(JOBS, row -> row.whole("jobs"))));
        assertThat(service()).isEqualTo(before);
    }

    @Test
    void a_role_that_does_not_exist_is_refused_before_any_work() {
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> database.as(new Caller("nobody", "{}", Optional.of(alice), Optional.empty()), _ -> {
                    throw new AssertionError("worked without the role");
                }));
    }

    /**
     * One connection and one prepared statement: a plan made for the service or for another owner would count the wrong
     * rows.
     */
    @Test
    void the_same_statement_counts_for_each_caller_what_that_caller_may_see() throws SQLException {
        DB.insertJob(alice);
        DB.insertJob(alice);
        DB.insertJob(bob);
        for (int repetition = 0; repetition < 3; repetition++) {
            assertThat(count()).isEqualTo(3);
            assertThat(count(alice)).isEqualTo(2);
            assertThat(count(bob)).isEqualTo(1);
            assertThat(count(UUID.randomUUID())).isZero();
        }
    }

    private long count() {
        return database.one(JOBS, row -> row.whole("jobs")).orElseThrow();
    }

    private long count(UUID owner) {
        return database.as(Caller.owner(owner), session -> session.one(JOBS, row -> row.whole("jobs"))).orElseThrow();
    }

    @Test
    void all_work_for_a_caller_is_one_transaction() {
        var sql = "select pg_current_xact_id()::text as id, now() as begun";
        List<String> transactions = database.as(Caller.owner(alice),
                session -> List.of(session.one(sql, row -> row.text("id") + row.instant("begun")).orElseThrow(),
                        session.one(sql, row -> row.text("id") + row.instant("begun")).orElseThrow()));
        assertThat(transactions.getFirst()).isEqualTo(transactions.getLast());
        String next = database.as(Caller.owner(alice), session -> session.one(sql, row -> row.text("id")))
                .orElseThrow();
        assertThat(transactions.getFirst()).doesNotStartWith(next);
    }

    @Test
    void work_that_succeeds_is_committed_and_work_that_fails_leaves_nothing() throws SQLException {
        UUID kept = database.as(Caller.owner(alice), session -> insert(session, alice));
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> database.as(Caller.owner(alice), session -> {
                    insert(session, alice);
                    return insert(session, bob);
                })).satisfies(e -> assertThat(e.refused()).isTrue());
        assertThat(DB.rows("select id from imagen.jobs")).extracting(row -> row.get("id")).containsExactly(kept);
    }

    private static UUID insert(Session session, UUID owner) throws SQLException {
        return session.one("insert into imagen.jobs (owner_user_id, prompt) values (?::uuid, 'x') returning id",
                row -> row.uuid("id"), owner).orElseThrow();
    }

    @Test
    void callers_at_the_same_time_do_not_meet_each_others_claims() throws Exception {
        DB.insertJob(alice);
        DB.insertJob(bob);
        DB.insertJob(bob);
        try (var two = new Database(DB.settings(2)); var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var counts = IntStream.range(0, 100).mapToObj(i -> executor.submit(() -> two
                    .as(Caller.owner(i % 2 == 0 ? alice : bob), session -> session.one(JOBS, row -> row.whole("jobs")))
                    .orElseThrow())).toList();
            for (int i = 0; i < counts.size(); i++) {
                assertThat(counts.get(i).get()).isEqualTo(i % 2 == 0 ? 1 : 2);
            }
        }
    }

    @Test
    void a_refusal_carries_the_servers_words_and_the_constraint() {
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> database.update(
                        "insert into imagen.jobs (owner_user_id, prompt, width) values (?::uuid, 'x', 15)", alice))
                .satisfies(e -> {
                    assertThat(e.refused()).isTrue();
                    assertThat(e.constraint()).contains("jobs_width_range");
                    assertThat(e.serverMessage()).startsWith("new row for relation \"jobs\" violates check");
                });
    }
}
