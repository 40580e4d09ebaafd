package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.testing.TestDatabase;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an owner may spend in a month. */
@Tag("postgres")
class BudgetTest {

    private static final String THIS_MONTH = "date_trunc('month', now() at time zone 'UTC') at time zone 'UTC'";

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final QueueControl control = new QueueControl(DB.database());
    private final UUID owner = UUID.randomUUID();

    @BeforeEach
    void limit() throws SQLException {
        DB.clear();
        control.limitSpending(new BigDecimal("2.50"));
    }

    private static void spend(UUID by, String dollars, String at) throws SQLException {
        DB.execute(
                "insert into imagen.usage (owner_user_id, backend, model, outcome, duration_ms, cost_usd, created_at)"
                        + " values ('" + by + "', 'mock', 'm', 'failed', 1, " + dollars + ", " + at + ")");
    }

    private void insert() throws SQLException {
        try (var connection = DB.as(owner); var statement = connection.createStatement()) {
            statement.execute("insert into imagen.jobs (prompt) values ('a test')");
            connection.commit();
        }
    }

    private void assertRefused() {
        assertThatExceptionOfType(SQLException.class).isThrownBy(this::insert)
                .returns("PT402", SQLException::getSQLState)
                .withMessageContaining("the budget is spent: 2.60 of 2.50 US dollars in this month (UTC)")
                .withMessageContaining("Wait for the next month");
    }

    @Test
    void an_owner_who_has_spent_it_inserts_no_more() throws SQLException {
        spend(owner, "1.30", THIS_MONTH);
        insert();
        spend(owner, "1.30", "now()");
        assertRefused();
        assertThat(DB.row("select count(*) as jobs from imagen.jobs")).containsEntry("jobs", 1L);
    }

    @Test
    void what_others_spent_and_what_was_spent_last_month_does_not_count() throws SQLException {
        spend(UUID.randomUUID(), "100", "now()");
        spend(owner, "100", THIS_MONTH + " - interval '1 microsecond'");
        spend(owner, "null", "now()");
        insert();
    }

    @Test
    void a_retry_needs_money_too() throws SQLException {
        var job = DB.insertJob(owner);
        DB.execute("update imagen.jobs set status = 'failed' where id = '" + job + "'");
        spend(owner, "2.60", "now()");
        assertThatExceptionOfType(SQLException.class)
                .isThrownBy(() -> DB.execute("select imagen.retry_job('" + job + "')"))
                .returns("PT402", SQLException::getSQLState);
        assertThat(DB.job(job)).containsEntry("status", "failed");
    }

    @Test
    void a_higher_budget_and_none_at_all_let_an_owner_go_on() throws SQLException {
        spend(owner, "2.60", "now()");
        assertRefused();
        control.limitSpending(new BigDecimal("2.70"));
        insert();
        spend(owner, "100", "now()");
        control.limitSpending(BigDecimal.ZERO);
        insert();
    }
}
