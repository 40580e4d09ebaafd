package dev.imagen.queue;

import dev.imagen.queue.Move.Ending;
import dev.imagen.queue.Move.Holder;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;

/**
 * Random moves, weighted so that jobs are claimed again and again, and late writes come while somebody else runs them.
 */
final class Moves {

    private Moves() {}

    /** Three jobs, then up to {@code most} moves. */
    static Arbitrary<List<Move>> upTo(int most) {
        // As it is, a long list would be rare, and a job does not get far in a short one.
        var moves = move().list().ofMaxSize(most).withSizeDistribution(RandomDistribution.uniform());
        return Combinators.combine(insert(1), insert(2), insert(3), moves).as(
                (first, second, third, more) -> Stream.concat(Stream.of(first, second, third), more.stream()).toList());
    }

    private static Arbitrary<Move> move() {
        return Arbitraries.frequencyOf(Tuple.of(30, settle()), Tuple.of(24, claim()),
                Tuple.of(8, job().map(Move.Retry::new)), Tuple.of(6, Arbitraries.just(new Move.Wait())),
                Tuple.of(6, worker().map(Move.Register::new)), Tuple.of(5, Arbitraries.just(new Move.Rescue())),
                Tuple.of(5, job().map(Move.Cancel::new)), Tuple.of(4, worker().map(Move.Die::new)),
                Tuple.of(4, worker().map(Move.Renew::new)), Tuple.of(4, job().flatMap(Moves::insert)),
                Tuple.of(3, progress()), Tuple.of(3, handBackUnknown()),
                Tuple.of(2, Arbitraries.just(new Move.FailUnoffered())),
                Tuple.of(1, Arbitraries.of("flux", "dalle").map(Move.Pause::new)),
                Tuple.of(1, Arbitraries.just(new Move.Resume())), Tuple.of(1, worker().map(Move.Leave::new)));
    }

    private static Arbitrary<Integer> job() {
        return Arbitraries.integers().between(1, 5);
    }

    /** One works more than the others, so that it often claims what it lost. */
    private static Arbitrary<Integer> worker() {
        return Arbitraries.frequency(Tuple.of(4, 1), Tuple.of(2, 2), Tuple.of(1, 3));
    }

    private static Arbitrary<Move> insert(int job) {
        var backend = Arbitraries.frequency(Tuple.of(4, Optional.<String>empty()), Tuple.of(2, Optional.of("mock")),
                Tuple.of(2, Optional.of("flux")), Tuple.of(1, Optional.of("dalle")));
        return Combinators.combine(backend, Arbitraries.of(0, -1), Arbitraries.of(3, 2, 1))
                .as((offered, priority, attempts) -> new Move.Insert(job, offered, priority, attempts));
    }

    private static Arbitrary<Move> claim() {
        return Combinators.combine(worker(), Arbitraries.of(1, 3)).as(Move.Claim::new);
    }

    private static Arbitrary<Move> settle() {
        var ending = Arbitraries.frequency(Tuple.of(3, Ending.DONE), Tuple.of(3, Ending.FAILED_FOR_NOW),
                Tuple.of(1, Ending.FAILED_FOR_GOOD), Tuple.of(1, Ending.CANCELLED), Tuple.of(3, Ending.HANDED_BACK));
        return Combinators.combine(holder(), ending).as(Move.Settle::new);
    }

    private static Arbitrary<Move> progress() {
        return Combinators.combine(Arbitraries.integers().between(1, 5), Arbitraries.of(1, 2)).as(Move.Progress::new);
    }

    private static Arbitrary<Holder> holder() {
        var back = Arbitraries.frequency(Tuple.of(4, 0), Tuple.of(3, 1), Tuple.of(2, 2), Tuple.of(1, 3));
        return Combinators.combine(back, Arbitraries.frequency(Tuple.of(9, false), Tuple.of(1, true))).as(Holder::new);
    }

    private static Arbitrary<Move> handBackUnknown() {
        return Combinators.combine(worker(), job()).as(Move.HandBackUnknown::new);
    }
}
