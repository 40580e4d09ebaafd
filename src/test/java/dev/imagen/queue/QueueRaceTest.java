package dev.imagen.queue;

import dev.imagen.database.Database;
import dev.imagen.queue.Move.Ending;
import dev.imagen.queue.Move.Holder;
import dev.imagen.queue.RaceVerdict.Played;
import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.Tag;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Random moves on several connections at once: whatever the order, the queue keeps its promises. */
@Tag("postgres")
class QueueRaceTest {

    private static final int PLAYERS = 4;
    private static final TestDatabase DB = new TestDatabase();
    private static final List<Database> POOLS = new ArrayList<>();
    private static final List<Connection> OPERATORS = new ArrayList<>();

    private final Queue<Played> played = new ConcurrentLinkedQueue<>();

    @BeforeContainer
    static void open() throws SQLException {
        DB.open();
        JobChange.remember(DB);
        for (int i = 0; i < PLAYERS; i++) {
            POOLS.add(new Database(DB.settings(1)));
            OPERATORS.add(DB.superuser());
        }
    }

    @AfterContainer
    static void close() throws SQLException {
        POOLS.forEach(Database::close);
        for (var operator : OPERATORS) {
            operator.close();
        }
        DB.close();
    }

    @Provide
    Arbitrary<List<Move>> moves() {
        return Moves.upTo(120);
    }

    /** Not shortened when it fails: a shorter race may well end otherwise. */
    @Property(shrinking = ShrinkingMode.OFF)
    void whoever_comes_first_the_queue_keeps_its_promises(@ForAll("moves") List<Move> moves, @ForAll boolean fair)
            throws Exception {
        played.clear();
        RealQueue.clear(OPERATORS.getFirst());
        JobChange.forget(OPERATORS.getFirst());
        var cast = new Cast();
        var players = IntStream.range(0, PLAYERS)
                .mapToObj(i -> new RealQueue(POOLS.get(i), fair, OPERATORS.get(i), cast)).toList();
        for (int worker : Cast.WORKERS) {
            play(players.getFirst(), new Move.Register(worker));
        }
        race(players, moves);
        drain(players.getFirst());
        var verdict = new RaceVerdict(played, JobChange.read(OPERATORS.getFirst()),
                JobState.read(OPERATORS.getFirst(), cast));
        try {
            verdict.check();
        } catch (AssertionError e) {
            throw new AssertionError(verdict.told() + e.getMessage(), e);
        }
    }

    private Answer play(RealQueue player, Move move) throws SQLException {
        var answer = player.play(move);
        played.add(new Played(move, answer));
        return answer;
    }

    /** Deals the moves like cards. */
    private void race(List<RealQueue> players, List<Move> moves) throws Exception {
        var start = new CyclicBarrier(PLAYERS);
        try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            var threads = new ArrayList<Future<Void>>();
            for (int player = 0; player < PLAYERS; player++) {
                threads.add(executor.submit(player(start, players.get(player), hand(moves, player))));
            }
            for (var thread : threads) {
                thread.get();
            }
        }
    }

    private static List<Move> hand(List<Move> moves, int player) {
        return IntStream.range(0, moves.size()).filter(i -> i % PLAYERS == player).mapToObj(moves::get).toList();
    }

    private Callable<Void> player(CyclicBarrier start, RealQueue player, List<Move> hand) {
        return () -> {
            start.await();
            for (var move : hand) {
                play(player, move);
            }
            return null;
        };
    }

    /** Everybody dies, and one worker that can do every job does what is left. */
    private void drain(RealQueue player) throws SQLException {
        for (int worker : Cast.WORKERS) {
            play(player, new Move.Die(worker));
        }
        play(player, new Move.Resume());
        play(player, new Move.Rescue());
        play(player, new Move.Wait());
        play(player, new Move.Register(Cast.ALL_ROUND));
        while (play(player, new Move.Claim(Cast.ALL_ROUND, 1)) instanceof Answer.Claimed claimed
                && !claimed.attempts().isEmpty()) {
            play(player, new Move.Settle(new Holder(0, false), Ending.DONE));
        }
    }
}
