package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tag;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Random moves, one after the other: after each of them the rows and the answer are the model's. */
@Tag("postgres")
class QueueModelTest {

    private static final TestDatabase DB = new TestDatabase();
    private static Connection operator;

    @BeforeContainer
    static void open() throws SQLException {
        DB.open();
        operator = DB.superuser();
    }

    @AfterContainer
    static void close() throws SQLException {
        DB.close();
        if (operator != null) {
            operator.close();
        }
    }

    @Provide
    Arbitrary<List<Move>> moves() {
        return Moves.upTo(80);
    }

    @Property
    void the_queue_does_what_its_model_does(@ForAll("moves") List<Move> moves) throws SQLException {
        RealQueue.clear(operator);
        var cast = new Cast();
        var queue = new RealQueue(DB.database(), false, operator, cast);
        var model = new ModelQueue();
        for (int worker : Cast.WORKERS) {
            queue.play(new Move.Register(worker));
            model.play(new Move.Register(worker));
        }
        var story = new ArrayList<String>();
        for (var move : moves) {
            var expected = model.play(move);
            var answer = queue.play(move);
            story.add(move + " -> " + answer);
            assertThat(answer).as(() -> told(story)).isEqualTo(expected);
            assertThat(JobState.read(operator, cast)).as(() -> told(story)).isEqualTo(model.jobs());
        }
    }

    private static String told(List<String> story) {
        return "after\n  " + String.join("\n  ", story) + "\n";
    }
}
