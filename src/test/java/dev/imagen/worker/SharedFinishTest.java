package dev.imagen.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import dev.imagen.queue.JobQueue.Finish;
import dev.imagen.queue.JobQueue.Offer;
import dev.imagen.queue.JobQueue.WorkerIdentity;
import dev.imagen.testing.Await;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class SharedFinishTest {

    private static final int MANY = 120;

    private final FakeQueue queue = new FakeQueue();
    private final SharedFinish shared = new SharedFinish(queue);

    private final List<FutureTask<Boolean>> answers = new ArrayList<>();

    @Test
    void one_that_ends_alone_waits_for_nobody() throws Exception {
        assertThat(shared.wrote(finish(running()))).isTrue();
        assertThat(Await.next(queue.finishes, "a statement")).isEqualTo(1);
    }

    @Test
    void those_that_end_while_three_statements_are_on_their_way_share_the_next_ones() throws Exception {
        var hold = queue.holdFinishes();
        endTogether(3);
        assertThat(List.of(Await.next(queue.finishes, "a statement"), Await.next(queue.finishes, "another one"),
                Await.next(queue.finishes, "a third one"))).containsExactly(1, 1, 1);
        endTogether(MANY);
        hold.countDown();
        assertThat(answers()).hasSize(MANY + 3).containsOnly(true);
        assertThat(queue.settled).hasSize(MANY + 3);
        // Three turns share what has come, the last one what the others left.
        assertThat(queue.finishes).hasSizeBetween(3, 6).allMatch(jobs -> jobs <= 50);
    }

    @Test
    void each_learns_its_own_answer() throws Exception {
        var hold = queue.holdFinishes();
        endTogether(3);
        var lost = running();
        end(lost);
        endTogether(3);
        queue.takeAway(lost.id());
        hold.countDown();
        assertThat(answers()).containsExactly(true, true, true, false, true, true, true);
    }

    @Test
    void of_a_statement_that_fails_none_is_known() throws Exception {
        var hold = queue.holdFinishes();
        endTogether(3);
        endTogether(3);
        queue.failSettles(3);
        hold.countDown();
        assertThat(answers()).hasSize(6).contains(false);
        assertThat(shared.wrote(finish(running()))).isTrue();
    }

    private List<Boolean> answers() throws InterruptedException, ExecutionException, TimeoutException {
        var all = new ArrayList<Boolean>();
        for (var answer : answers) {
            all.add(answer.get(10, TimeUnit.SECONDS));
        }
        return all;
    }

    private void endTogether(int jobs) throws InterruptedException {
        for (int i = 0; i < jobs; i++) {
            end(running());
        }
    }

    /** Returns when the job's thread waits, in its statement or for the answer. */
    private void end(Job job) throws InterruptedException {
        var answer = new FutureTask<>(() -> shared.wrote(finish(job)));
        answers.add(answer);
        var thread = Thread.ofPlatform().daemon().start(answer);
        while (thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }

    private Job running() {
        queue.add();
        var worker = new WorkerIdentity(UUID.randomUUID(), "a test", List.of("mock"));
        return queue.claim(worker, List.of(new Offer("mock", 1, Optional.empty())), 1).getFirst();
    }

    private static Finish finish(Job job) {
        return new Finish(job, new Outcome.Done(List.of(), Optional.empty()));
    }
}
