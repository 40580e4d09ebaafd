package dev.imagen.backend.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Progress;
import dev.imagen.job.JobFailedException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ServerPoolTest {

    private static final Duration LONG = Duration.ofHours(1);
    private static final Progress UNHEARD = (_, _) -> {};

    /** A server with a letter for a picture. */
    private static class Server implements ImageBackend {

        private final byte letter;
        private final List<String> models;
        private volatile JobFailedException failure;
        private volatile JobFailedException silence;
        private volatile int waiting;
        private volatile int calls;
        private volatile CountDownLatch hold = new CountDownLatch(0);
        private final Semaphore called = new Semaphore(0);

        Server(char letter, String... models) {
            this.letter = (byte) letter;
            this.models = models.length == 0 ? List.of("m") : List.of(models);
        }

        @Override
        public BackendInfo info() {
            return new BackendInfo("farm", models, new BackendInfo.Defaults(64, 64, 1),
                    new BackendInfo.Limits(16, 64, 4096, 1));
        }

        @Override
        public int waiting() throws JobFailedException {
            if (silence != null) {
                throw silence;
            }
            return waiting;
        }

        @Override
        public void probe() throws JobFailedException {
            if (silence != null) {
                throw silence;
            }
        }

        @Override
        public Generation generate(ImageRequest request, Progress progress)
                throws JobFailedException, InterruptedException {
            calls++;
            called.release();
            hold.await();
            if (failure != null) {
                throw failure;
            }
            return Generation.of(new byte[]{letter});
        }
    }

    private final Server a = new Server('a');
    private final Server b = new Server('b');
    private final ServerPool pool = new ServerPool(List.of(a, b), LONG);

    private static ImageRequest request(String model) {
        return new ImageRequest("a fox", Optional.empty(), model, 64, 64, 1, 1, Map.of());
    }

    private static String make(ServerPool pool) throws JobFailedException, InterruptedException {
        return made(pool.generate(request("m"), UNHEARD));
    }

    private static String made(Generation generation) {
        return new String(generation.pictures().getFirst().bytes());
    }

    private static JobFailedException down(String who) {
        return JobFailedException.temporary("no connection to " + who);
    }

    @Test
    void it_offers_what_any_of_its_servers_does() {
        var other = new BackendInfo("farm", List.of("m", "n"), new BackendInfo.Defaults(64, 64, 1),
                new BackendInfo.Limits(16, 64, 4096, 1), List.of(), Set.of(), Map.of(),
                Map.of("n", new BackendInfo.Abilities(Set.of(), 0, 0)), true);
        var info = new ServerPool(List.of(a, new Server('c') {
            @Override
            public BackendInfo info() {
                return other;
            }
        }), LONG).info();
        assertThat(info.models()).containsExactly("m", "n");
        assertThat(info.abilitiesOf("n").features()).isEmpty();
        assertThat(info.offers("of a server that was not asked yet")).isTrue();
        assertThat(pool.info().offers("of a server that was not asked yet")).isFalse();
    }

    @Test
    void a_call_goes_to_the_server_with_fewer_calls_of_this_process() throws Exception {
        a.hold = new CountDownLatch(1);
        var first = CompletableFuture.supplyAsync(() -> {
            try {
                return make(pool);
            } catch (JobFailedException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        a.called.acquire();
        assertThat(make(pool)).isEqualTo("b");
        assertThat(make(pool)).isEqualTo("b");
        a.hold.countDown();
        assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("a");
        assertThat(make(pool)).isEqualTo("a");
    }

    @Test
    void a_call_goes_to_the_server_that_says_that_it_has_less_to_do() throws Exception {
        a.waiting = 3;
        b.waiting = 2;
        assertThat(make(pool)).isEqualTo("b");
        b.waiting = 4;
        assertThat(make(pool)).isEqualTo("a");
    }

    @Test
    void a_job_moves_off_a_server_that_fails_and_ends_on_another() throws Exception {
        a.failure = down("a");
        assertThat(make(pool)).isEqualTo("b");
        assertThat(a.calls).isOne();
    }

    @Test
    void a_server_that_does_not_say_what_it_has_to_do_is_not_called() throws Exception {
        a.silence = down("a");
        assertThat(make(pool)).isEqualTo("b");
        assertThat(a.calls).isZero();
    }

    @Test
    void three_failures_in_a_row_let_a_server_rest() throws Exception {
        a.failure = down("a");
        for (int i = 0; i < 5; i++) {
            assertThat(make(pool)).isEqualTo("b");
        }
        assertThat(a.calls).isEqualTo(3);
    }

    @Test
    void after_its_rest_one_call_tells_whether_a_server_is_back() throws Exception {
        var quick = new ServerPool(List.of(a, b), Duration.ofMillis(1));
        a.failure = down("a");
        for (int i = 0; i < 3; i++) {
            make(quick);
        }
        a.failure = null;
        // The millisecond may not be over at the first call.
        String made = make(quick);
        while (made.equals("b")) {
            made = make(quick);
        }
        assertThat(made).isEqualTo("a");
        assertThat(a.calls).isEqualTo(4);
    }

    @Test
    void where_all_fail_the_job_fails_for_the_moment_and_where_all_rest_it_is_told_when_to_come_back()
            throws Exception {
        a.failure = down("a");
        b.failure = down("b");
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> make(pool)).hasMessageStartingWith("no connection to ");
        }
        assertThat(a.calls + b.calls).isEqualTo(6);
        assertThatThrownBy(() -> make(pool)).isInstanceOfSatisfying(JobFailedException.class, e -> {
            assertThat(e).hasMessage("backend farm: each of its servers failed three times in a row, and rests");
            assertThat(e.retryable()).isTrue();
            assertThat(e.retryAfter()).isPresent();
        });
        assertThat(a.calls + b.calls).isEqualTo(6);
    }

    @Test
    void a_refusal_is_no_failure_of_the_server_and_no_other_is_asked() throws Exception {
        a.failure = JobFailedException.permanent("moderation");
        for (int i = 0; i < 4; i++) {
            assertThatThrownBy(() -> make(pool)).hasMessage("moderation");
        }
        assertThat(a.calls).isEqualTo(4);
        assertThat(b.calls).isZero();
    }

    @Test
    void a_job_goes_to_a_server_that_has_its_model_and_all_models_are_offered() throws Exception {
        var mixed = new ServerPool(List.of(new Server('a', "m", "x"), new Server('b', "m", "y")), LONG);
        assertThat(mixed.info().models()).containsExactly("m", "x", "y");
        assertThat(made(mixed.generate(request("y"), UNHEARD))).isEqualTo("b");
        assertThat(made(mixed.generate(request("x"), UNHEARD))).isEqualTo("a");
    }

    @Test
    void an_interruption_is_no_failure_of_the_server() throws Exception {
        a.hold = new CountDownLatch(1);
        for (int i = 0; i < 4; i++) {
            var thread = Thread.ofVirtual()
                    .start(() -> assertThatThrownBy(() -> make(pool)).isInstanceOf(InterruptedException.class));
            a.called.acquire();
            thread.interrupt();
            thread.join();
        }
        a.hold.countDown();
        assertThat(make(pool)).isEqualTo("a");
        assertThat(b.calls).isZero();
    }

    @Test
    void the_pool_is_well_as_long_as_one_server_is() throws Exception {
        a.silence = down("a");
        pool.probe();
        b.silence = down("b");
        assertThatThrownBy(pool::probe).hasMessage("no connection to a; no connection to b");
    }
}
