package dev.imagen.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One statement for a caller, sent with what sets role and claims; a pool of one, as in {@link DatabaseTest}. */
@Tag("postgres")
class CallerQueryTest {

    private static final String SESSION = """
            select current_user::text || ' ' || coalesce(current_setting('request.jwt.claims', true), '') || ' '
                   || current_setting('lock_timeout') as state
            """;
    private static final String JOBS = "select count(*) as jobs from imagen.jobs";
    private static final String INSERT = """
            insert into imagen.jobs (owner_user_id, prompt) values (?::uuid, 'x') returning id
            """;

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final UUID alice = UUID.randomUUID();
    private final UUID bob = UUID.randomUUID();
    private Database database;

    @BeforeEach
    void open() throws SQLException {
        DB.clear();
        database = new Database(DB.settings(1));
    }

    @AfterEach
    void close() {
        database.close();
    }

    private String service() {
        return database.one(SESSION, row -> row.text("state")).orElseThrow();
    }

    @Test
    void it_runs_as_the_callers_role_with_the_callers_claims_and_nothing_of_them_stays() {
        var before = service();
        var during = database.one(Caller.owner(alice), SESSION, row -> row.text("state"));
        assertThat(during).contains("authenticated " + Caller.owner(alice).claims() + " 5s");
        assertThat(service()).isEqualTo(before);
    }

    @Test
    void nothing_of_a_caller_stays_after_one_that_failed_nor_after_claims_that_are_no_json() {
        var before = service();
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> database.query(Caller.owner(alice), "select 1 / 0", _ -> 1))
                .satisfies(e -> assertThat(e.state()).isEqualTo("22012"));
        assertThat(service()).isEqualTo(before);
        var unreadable = new Caller("authenticated", "no json", Optional.of(alice), Optional.empty());
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> database.query(unreadable, JOBS, row -> row.whole("jobs")));
        assertThat(service()).isEqualTo(before);
    }

    @Test
    void without_the_role_nothing_is_done() throws SQLException {
        var nobody = new Caller("nobody", "{}", Optional.of(alice), Optional.empty());
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> database.query(nobody, INSERT, row -> row.uuid("id"), alice));
        assertThat(DB.rows("select from imagen.jobs")).isEmpty();
    }

    @Test
    void it_counts_for_each_caller_what_that_caller_may_see() throws SQLException {
        DB.insertJob(alice);
        DB.insertJob(alice);
        DB.insertJob(bob);
        for (int repetition = 0; repetition < 3; repetition++) {
            assertThat(count(Caller.service())).isEqualTo(3);
            assertThat(count(Caller.owner(alice))).isEqualTo(2);
            assertThat(count(Caller.owner(bob))).isEqualTo(1);
            assertThat(count(Caller.owner(UUID.randomUUID()))).isZero();
        }
    }

    private long count(Caller caller) {
        return database.one(caller, JOBS, row -> row.whole("jobs")).orElseThrow();
    }

    @Test
    void what_it_writes_is_committed_and_what_is_refused_leaves_nothing() throws SQLException {
        var kept = database.one(Caller.owner(alice), INSERT, row -> row.uuid("id"), alice).orElseThrow();
        assertThatExceptionOfType(DatabaseException.class)
                .isThrownBy(() -> database.one(Caller.owner(alice), INSERT, row -> row.uuid("id"), bob))
                .satisfies(e -> assertThat(e.refused()).isTrue());
        assertThat(DB.rows("select id from imagen.jobs")).extracting(row -> row.get("id")).containsExactly(kept);
    }

    @Test
    void several_statements_are_one_transaction_and_the_last_ones_rows_are_the_answer() {
        var hash = database.one(Caller.owner(alice), """
                select set_config('imagen.request_hash', ?, true);
                select current_setting('imagen.request_hash') as hash, ?::int as number
                """, row -> row.text("hash") + row.integer("number"), "00", 7);
        assertThat(hash).contains("007");
        assertThat(database.one("select current_setting('imagen.request_hash', true) as hash",
                row -> row.optionalText("hash").orElse(""))).contains("");
    }
}
