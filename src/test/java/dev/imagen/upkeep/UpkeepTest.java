package dev.imagen.upkeep;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.Await;
import dev.imagen.testing.LogRecords;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** Rounds, and who does them: two upkeeps on one database are two processes. */
@Tag("postgres")
@Timeout(120)
@Isolated("counts what its package warns of")
class UpkeepTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Duration EVERY = Duration.ofMinutes(10);

    private final BlockingQueue<String> done = new LinkedBlockingQueue<>();

    @BeforeEach
    void clear() throws SQLException {
        new UpkeepRows(DB).clear();
    }

    private static UpkeepLease lease() {
        return new UpkeepLease(DB.database(), EVERY);
    }

    private static Upkeep upkeep(Chore... chores) {
        return new Upkeep(lease(), List.of(chores));
    }

    /** A chore that only says that it was done. */
    private Chore says(String what) {
        return chore(_ -> done.add(what));
    }

    private static Chore chore(Consumer<BooleanSupplier> work) {
        return new Chore() {
            @Override
            public String name() {
                return "a test";
            }

            @Override
            public void run(BooleanSupplier goOn) {
                work.accept(goOn);
            }
        };
    }

    private static Map<String, Object> lease(String columns) throws SQLException {
        return DB.row("select " + columns + " from imagen.upkeep");
    }

    @Test
    void the_first_round_is_due_at_once_and_the_next_one_after_a_while() {
        var upkeep = upkeep(says("round"));
        assertThat(upkeep.turn()).isBetween(EVERY.minusSeconds(60), EVERY);
        upkeep.turn();
        assertThat(done).containsExactly("round");
    }

    @Test
    void a_round_is_done_once_in_a_while_by_all_processes_together() throws SQLException {
        upkeep(says("one")).turn();
        var other = upkeep(says("other"));
        assertThat(other.turn()).isBetween(EVERY.minusSeconds(60), EVERY);
        assertThat(done).containsExactly("one");
        DB.execute("update imagen.upkeep set last_round_at = now() - interval '601 seconds'");
        other.turn();
        assertThat(done).containsExactly("one", "other");
    }

    @Test
    void while_one_process_is_at_it_another_does_nothing_and_asks_again_when_the_lease_may_have_run_out()
            throws Exception {
        var mayEnd = new CountDownLatch(1);
        var begun = new LinkedBlockingQueue<String>();
        var holder = upkeep(chore(_ -> {
            begun.add("begun");
            await(mayEnd);
        }));
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var round = executor.submit(holder::turn);
            Await.next(begun, "the holder's round");
            var wait = upkeep(says("other")).turn();
            mayEnd.countDown();
            round.get();
            assertThat(wait).isBetween(UpkeepLease.HELD.minusSeconds(60), UpkeepLease.HELD);
        }
        assertThat(done).isEmpty();
    }

    @Test
    void of_many_processes_that_ask_at_once_one_gets_the_lease() throws Exception {
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var start = new CountDownLatch(1);
            var asked = Stream.generate(UpkeepTest::lease).limit(8)
                    .map(lease -> executor.submit((Callable<Boolean>) () -> {
                        start.await();
                        return lease.take();
                    })).toList();
            start.countDown();
            int taken = 0;
            for (var answer : asked) {
                taken += answer.get() ? 1 : 0;
            }
            assertThat(taken).isOne();
        }
    }

    @Test
    void a_holder_that_died_is_replaced_when_its_time_has_run_out() throws SQLException {
        assertThat(lease().take()).isTrue();
        var other = upkeep(says("other"));
        other.turn();
        assertThat(done).isEmpty();
        DB.execute("update imagen.upkeep set until = now()");
        other.turn();
        assertThat(done).containsExactly("other");
    }

    @Test
    void who_was_replaced_stops_before_its_next_batch_and_does_not_end_the_others_round() throws SQLException {
        var goesOn = new ArrayList<Boolean>();
        var other = lease();
        var slow = upkeep(chore(goOn -> {
            goesOn.add(goOn.getAsBoolean());
            expire();
            assertThat(other.take()).isTrue();
            goesOn.add(goOn.getAsBoolean());
        }), says("next"));
        slow.turn();
        assertThat(goesOn).containsExactly(true, false);
        assertThat(done).isEmpty();
        assertThat(lease("holder is not null as held, until > now() as alive, last_round_at > 'epoch' as ended"))
                .isEqualTo(Map.of("held", true, "alive", true, "ended", false));
    }

    @Test
    void the_lease_is_renewed_between_batches() throws SQLException {
        upkeep(chore(goOn -> {
            DB.database().update("update imagen.upkeep set until = now() + interval '1 second'");
            goOn.getAsBoolean();
            done.addAll(DB.database().query(
                    "select case when until > now() + interval '4 minutes' then 'renewed' else 'not' end as lease"
                            + " from imagen.upkeep",
                    row -> row.text("lease")));
        })).turn();
        assertThat(done).containsExactly("renewed");
    }

    @Test
    void a_part_that_fails_is_logged_once_and_stops_neither_the_others_nor_the_next_round() throws SQLException {
        var upkeep = upkeep(chore(_ -> {
            throw new IllegalStateException("broken");
        }), says("other"));
        try (var log = LogRecords.of("dev.imagen.upkeep")) {
            upkeep.turn();
            assertThat(log.warnings()).singleElement().asString().contains("a test").contains("broken");
        }
        assertThat(done).containsExactly("other");
        assertThat(lease("last_round_at > 'epoch' as ended")).containsEntry("ended", true);
    }

    @Test
    void a_database_without_the_row_is_logged_and_asked_again() throws SQLException {
        DB.execute("alter table imagen.upkeep rename to away");
        try (var log = LogRecords.of("dev.imagen.upkeep")) {
            assertThat(upkeep().turn()).isPositive();
            assertThat(log.warnings()).hasSize(1);
        } finally {
            DB.execute("alter table imagen.away rename to upkeep");
        }
    }

    @Test
    void a_stop_ends_the_round_after_the_batch_under_way_and_lets_another_process_go_on() throws SQLException {
        var upkeep = upkeep(chore(goOn -> {
            do {
                done.add("batch");
            } while (goOn.getAsBoolean());
        }), says("next"));
        upkeep.start();
        Await.next(done, "the first batch");
        upkeep.close();
        assertThat(done).doesNotContain("next");
        assertThat(lease("holder, last_round_at > 'epoch' as ended")).containsEntry("holder", null)
                .containsEntry("ended", false);
        upkeep(says("another")).turn();
        assertThat(done).contains("another");
    }

    @Test
    void a_stop_ends_the_sleep_between_rounds() {
        var upkeep = upkeep(says("round"));
        upkeep.start();
        Await.next(done, "the first round");
        Awaitility.await().until(() -> (Boolean) lease("last_round_at > 'epoch' as ended").get("ended"));
        long stopped = System.nanoTime();
        upkeep.close();
        upkeep.close();
        assertThat(Duration.ofNanos(System.nanoTime() - stopped)).isLessThan(Upkeep.LAST_BATCH);
        assertThat(done).isEmpty();
    }

    private static void expire() {
        DB.database().update("update imagen.upkeep set until = now()");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
