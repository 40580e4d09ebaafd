package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.job.JobFailedException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prompts that nobody waits for any more, and those that somebody else ends. */
class ComfyUiCancelTest extends ComfyUiTest {

    @Test
    void an_older_server_that_gives_its_own_id_is_followed() throws Exception {
        server.beOld();
        assertThat(backend(MODEL).generate(request(), (_, _) -> {}).pictures()).hasSize(1);
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.awaitLookFor(server.drawing());
        server.draw(1);
        assertThat(caller.awaitStep()).isEqualTo("1/20");
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitIdle();
        assertThat(server.interrupted()).hasSize(1);
    }

    @Test
    void a_cancel_takes_a_waiting_prompt_out_of_the_queue() throws Exception {
        server.drawSlowly();
        server.anotherUserDraws("theirs");
        server.awaitDrawing();
        var caller = new Caller(backend(MODEL), request());
        server.awaitPending();
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitDeleted();
        server.drawFast();
        server.awaitIdle();
        assertThat(server.interrupted()).isEmpty();
        assertThat(server.drawn()).containsExactly("theirs");
    }

    @Test
    void a_cancel_interrupts_the_prompt_that_is_drawn() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitIdle();
        assertThat(server.interrupted()).containsExactly(server.lastId());
    }

    @Test
    void a_prompt_that_begins_while_it_is_deleted_is_interrupted() throws Exception {
        server.drawSlowly();
        server.anotherUserDraws("theirs");
        server.awaitDrawing();
        var caller = new Caller(backend(MODEL), request());
        server.awaitPending();
        server.beforeDelete(() -> {
            server.beforeDelete(() -> {});
            server.letEnd("theirs");
        });
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitInterrupts(1);
        server.awaitIdle();
        assertThat(server.interrupted()).containsExactly(server.lastId());
        assertThat(server.drawn()).containsExactly("theirs", server.lastId());
    }

    @Test
    void an_interrupt_that_is_lost_since_the_prompt_was_just_beginning_is_repeated() throws Exception {
        server.drawSlowly();
        server.holdBeforeStart(true);
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitInterrupts(1);
        server.holdBeforeStart(false);
        server.awaitIdle();
        assertThat(server.interrupted()).hasSize(2).containsOnly(server.lastId());
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void nobody_elses_picture_is_interrupted(boolean old) throws Exception {
        if (old) {
            server.beOld();
        }
        server.drawSlowly();
        var backend = backend(MODEL);
        var caller = new Caller(backend, request());
        server.awaitDrawing();
        server.anotherUserDraws("theirs");
        server.beforeDelete(() -> {
            server.beforeDelete(() -> {});
            server.letEnd(server.drawing());
        });
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        server.awaitDrawingOf("theirs");
        backend.close();
        assertThat(server.interrupted()).isEmpty();
        server.drawFast();
        server.awaitIdle();
        assertThat(server.drawn()).hasSize(2).endsWith("theirs");
    }

    @Test
    void a_call_that_takes_too_long_is_taken_back() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(server.url(), http, 100_000, Duration.ofMillis(400), MODEL), request());
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure).hasMessageStartingWith("backend comfyui: no picture from");
        assertThat(failure.retryable()).isTrue();
        server.awaitIdle();
        assertThat(server.interrupted()).containsExactly(server.lastId());
    }

    @Test
    void a_stop_of_the_process_waits_until_the_server_was_told() throws Exception {
        server.drawSlowly();
        var backend = backend(MODEL);
        var caller = new Caller(backend, request());
        server.awaitDrawing();
        caller.interrupt();
        assertThat(caller.awaitEnd()).isInstanceOf(InterruptedException.class);
        backend.close();
        http.close();
        assertThat(server.interrupted()).hasSize(1);
        server.awaitIdle();
    }

    @Test
    void what_another_user_interrupted_is_tried_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.interruptWhateverIsDrawn();
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure).hasMessage(
                "backend comfyui: somebody interrupted " + server.url().getAuthority() + " while it drew the picture");
        assertThat(failure.retryable()).isTrue();
    }

    @Test
    void a_graph_that_the_server_would_draw_in_part_is_taken_back() {
        server.drawSlowly();
        server.leaveOut("12");
        assertThatThrownBy(() -> backend(MODEL).generate(request(), (_, _) -> {}))
                .hasMessageContaining("node 12 (SaveImage): Required input is missing: images")
                .isInstanceOfSatisfying(JobFailedException.class, e -> assertThat(e.retryable()).isFalse());
        assertThat(server.calls()).isOne();
    }
}
