package dev.imagen.queue;

import static dev.imagen.queue.QueueFixtures.done;
import static dev.imagen.queue.QueueFixtures.offers;
import static dev.imagen.queue.QueueFixtures.settings;
import static dev.imagen.queue.QueueFixtures.worker;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.job.Job;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The order in which owners take turns. */
@Tag("postgres")
class FairOrderTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private final WorkerIdentity worker = worker("mock", "flux");
    private final UUID busy = UUID.randomUUID();
    private PostgresJobQueue queue;

    @BeforeEach
    void register() throws SQLException {
        DB.clear();
        queue = fairQueue();
        queue.register(worker);
    }

    private static PostgresJobQueue fairQueue() {
        return new PostgresJobQueue(DB.database(), settings(Duration.ZERO), true);
    }

    private static void insert(UUID owner, int jobs, String columns, String values) throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt" + columns + ") select '" + owner + "', 'a test'"
                + values + " from generate_series(1, " + jobs + ")");
    }

    private static void insert(UUID owner, int jobs) throws SQLException {
        insert(owner, jobs, "", "");
    }

    /** Jobs due now of as many owners, one each. */
    private static void insertOwners(int owners) throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt) select gen_random_uuid(), 'a test' "
                + "from generate_series(1, " + owners + ")");
    }

    /** The owners of the next jobs, claimed one by one. */
    private List<UUID> next(int claims) {
        var owners = new ArrayList<UUID>();
        for (int i = 0; i < claims; i++) {
            queue.claim(worker, offers(worker), 1).forEach(job -> owners.add(job.ownerUserId()));
        }
        return owners;
    }

    /** With ids on either side of the other owner's. */
    @RepeatedTest(5)
    void a_single_job_starts_within_the_next_two_claims_however_many_another_owner_has() throws SQLException {
        insert(busy, 10_000);
        next(3);
        var other = UUID.randomUUID();
        insert(other, 1);
        assertThat(next(2)).contains(other);
    }

    @Test
    void owners_with_a_backlog_are_served_in_turn() throws SQLException {
        var other = UUID.randomUUID();
        insert(busy, 50);
        insert(other, 50);
        var served = next(20);
        for (int i = 1; i < served.size(); i++) {
            assertThat(served.get(i)).isNotEqualTo(served.get(i - 1));
        }
    }

    @Test
    void one_that_names_the_backend_and_one_that_names_none_take_turns_too() throws SQLException {
        var other = UUID.randomUUID();
        insert(busy, 50);
        insert(other, 50, ", backend", ", 'mock'");
        assertThat(Collections.frequency(next(20), other)).isEqualTo(10);
    }

    @Test
    void a_claim_of_many_serves_every_owner_before_any_owner_twice() throws SQLException {
        insert(busy, 50);
        insertOwners(3);
        var claimed = queue.claim(worker, offers(worker), 6);
        assertThat(claimed).hasSize(6);
        assertThat(new HashSet<>(claimed.stream().map(Job::ownerUserId).toList())).hasSize(4);
    }

    @Test
    void an_only_owner_gets_all_slots_oldest_first() throws SQLException {
        insert(busy, 5, ", run_at", ", now() + generate_series * interval '1 microsecond'");
        DB.execute("update imagen.jobs set run_at = run_at - interval '1 minute'");
        var claimed = queue.claim(worker, offers(worker), 10);
        assertThat(claimed).hasSize(5).extracting(job -> job.request().runAt().orElseThrow()).isSorted();
    }

    @Test
    void a_higher_priority_goes_first_whoever_was_served_last() throws SQLException {
        insertOwners(5);
        insert(busy, 3, ", priority", ", 5");
        var claimed = queue.claim(worker, offers(worker), 4);
        assertThat(claimed.stream().filter(job -> job.ownerUserId().equals(busy))).hasSize(3);
        assertThat(claimed).hasSize(4);
    }

    @Test
    void a_job_for_later_is_not_claimed_and_holds_up_nobody_of_its_owner() throws SQLException {
        insert(busy, 3, ", run_at", ", now() + interval '1 hour'");
        insert(busy, 1);
        assertThat(next(3)).containsExactly(busy);
    }

    @Test
    void owners_with_nothing_due_however_many_do_not_keep_a_due_job_waiting() throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, run_at) select gen_random_uuid(), 'a test', "
                + "now() + interval '1 hour' from generate_series(1, 3000)");
        insert(busy, 2);
        assertThat(next(2)).containsExactly(busy, busy);
    }

    @Test
    void a_backends_limit_holds() throws SQLException {
        insertOwners(10);
        insert(busy, 10, ", backend", ", 'mock'");
        var limited = List.of(new Offer("mock", 5, Optional.of(3)));
        assertThat(queue.claim(worker, limited, 10)).hasSize(3);
        assertThat(queue.claim(worker, limited, 10)).isEmpty();
    }

    @Test
    void processes_that_claim_side_by_side_do_each_job_once() throws SQLException {
        insertOwners(50);
        insert(busy, 50);
        var second = fairQueue();
        var other = worker("mock");
        second.register(other);
        var claimed = new ArrayList<UUID>();
        for (int i = 0; i < 25; i++) {
            queue.claim(worker, offers(worker), 2).forEach(job -> claimed.add(job.id()));
            second.claim(other, offers(other), 2).forEach(job -> claimed.add(job.id()));
        }
        assertThat(claimed).hasSize(100).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_claim_reads_no_more_with_ten_thousand_owners_than_with_ten(boolean fair) throws SQLException {
        queue = new PostgresJobQueue(DB.database(), settings(Duration.ZERO), fair);
        insertOwners(10);
        var few = ClaimCost.pages(DB, queue, worker, offers(worker));
        insertOwners(10_000);
        DB.execute("vacuum analyze imagen.jobs");
        var many = ClaimCost.pages(DB, queue, worker, offers(worker));
        // The indexes are two levels deeper at most: one page a level for each look.
        assertThat(many).isLessThan(few * 2 + 50);
    }

    @Test
    void a_job_that_is_claimed_is_finished_as_in_any_order() throws SQLException {
        insert(busy, 1);
        var job = queue.claim(worker, offers(worker), 1).getFirst();
        queue.settle(job, done(job, 1));
        assertThat(DB.job(job.id())).containsEntry("status", "done");
    }
}
