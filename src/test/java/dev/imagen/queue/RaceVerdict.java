package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.job.JobStatus;
import dev.imagen.queue.Answer.Attempt;
import dev.imagen.queue.JobQueue.Settled;
import dev.imagen.queue.Move.Ending;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Function;

/**
 * Whether what the queue answered, what its rows went through and what they are in the end fit together. Nobody knows
 * in which order the players were served, so there is no model: these are the promises of the queue.
 *
 * @param played in the order of the answers
 * @param history in the order of the changes
 * @param jobs in the end
 */
record RaceVerdict(Collection<Played> played, List<JobChange> history, List<JobState> jobs) {

    /** A move and its answer. */
    record Played(Move move, Answer answer) {}

    void check() {
        everyChangeIsAMoveOfTheStateMachine();
        noMoreRunAtOnceThanTheirBackendTakes();
        everyClaimIsAnsweredOnce();
        everyEndOfAnAttemptIsAnsweredOnce();
        everyJobEnds();
    }

    private void everyChangeIsAMoveOfTheStateMachine() {
        assertThat(history).allMatch(JobChange::legal, "a move of the state machine")
                .allMatch(change -> change.failures() <= change.maxAttempts(), "no more failures than attempts")
                .allMatch(change -> change.versions() == (change.visible() ? 1 : 0), "one version for what is seen");
    }

    private void noMoreRunAtOnceThanTheirBackendTakes() {
        var running = new HashMap<String, Integer>();
        for (var change : history) {
            int more = change.begins() ? 1 : change.ends() ? -1 : 0;
            change.backend().ifPresent(backend -> running.merge(backend, more, Integer::sum));
            running.forEach((backend, jobs) -> assertThat(jobs).as(backend + " runs after " + change)
                    .isLessThanOrEqualTo(Cast.concurrency(backend).orElse(jobs)));
        }
    }

    /** No attempt twice, and as many claims as attempts. */
    private void everyClaimIsAnsweredOnce() {
        var claimed = played.stream().map(Played::answer).filter(Answer.Claimed.class::isInstance)
                .flatMap(answer -> ((Answer.Claimed) answer).attempts().stream()).toList();
        var begun = history.stream().filter(JobChange::begins).map(JobChange::ofAttempt).toList();
        assertThat(claimed).as("claims").doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(begun);
        assertThat(jobs).allMatch(
                job -> job.attempt() == claimed.stream().filter(attempt -> attempt.job() == job.job()).count(),
                "an attempt is a claim");
    }

    /** What no worker's write ended was rescued or handed back as unknown. */
    private void everyEndOfAnAttemptIsAnsweredOnce() {
        var written = written();
        var ended = of(JobState::attempts);
        assertThat(ended).as("attempts").containsAllEntriesOf(written);
        assertThat(of(JobState::usage)).as("usage").isEqualTo(written);
        assertThat(history).filteredOn(JobChange::ends).as("ends").hasSize(ended.size()).allMatch(
                change -> change.goesWith(ended.get(change.ofAttempt())), "as the record of the attempt has it");
        ended.keySet().removeAll(written.keySet());
        assertThat(ended.values()).filteredOn("rescued"::equals).as("rescues").hasSize(changed(Move.Rescue.class));
        assertThat(ended.values()).filteredOn("handed_back"::equals).as("hand-backs of unknown jobs")
                .hasSize(changed(Move.HandBackUnknown.class));
    }

    /** Only a finish may be repeated. */
    private Map<Attempt, String> written() {
        var written = new HashMap<Attempt, String>();
        for (var play : played) {
            if (play.move() instanceof Move.Settle settle && play.answer() instanceof Answer.Settled answer
                    && answer.settled() == Settled.WRITTEN) {
                assertThat(settle.holder().stranger()).as(answer.attempt() + " ended by a stranger").isFalse();
                var earlier = written.put(answer.attempt(), settle.ending().outcome());
                assertThat(earlier).as("earlier end of " + answer.attempt()).isIn(null,
                        settle.ending() == Ending.DONE ? "done" : null);
            }
        }
        return written;
    }

    private Map<Attempt, String> of(Function<JobState, SortedMap<Integer, String>> outcomes) {
        var all = new HashMap<Attempt, String>();
        for (var job : jobs) {
            outcomes.apply(job).forEach((number, outcome) -> all.put(new Attempt(job.job(), number), outcome));
        }
        return all;
    }

    private int changed(Class<? extends Move> by) {
        return played.stream().filter(play -> by.isInstance(play.move())).map(Played::answer)
                .mapToInt(answer -> ((Answer.Changed) answer).jobs()).sum();
    }

    private void everyJobEnds() {
        assertThat(jobs).allMatch(job -> job.status().finished(), "finished").allMatch(
                job -> job.images().equals(job.status() == JobStatus.DONE ? JobState.images(job.attempt()) : ""),
                "images of its last attempt if it is done, else none");
    }

    /** For whoever has to find out what went wrong. */
    String told() {
        var story = new StringBuilder("in the order of the answers");
        played.forEach(play -> story.append("\n  ").append(play.move()).append(" -> ").append(play.answer()));
        story.append("\nand the changes of the rows");
        history.forEach(change -> story.append("\n  ").append(change));
        return story.append('\n').toString();
    }
}
