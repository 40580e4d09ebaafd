package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a prompt is followed to its end, whatever breaks meanwhile. */
class ComfyUiProgressTest extends ComfyUiTest {

    @Test
    void steps_and_previews_are_told_while_it_is_drawn() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.draw(1);
        assertThat(caller.awaitStep()).isEqualTo("1/20");
        assertThat(ImageFile.read(caller.awaitPreview()).height()).isEqualTo(8);
        server.draw(1);
        assertThat(caller.awaitStep()).isEqualTo("2/20");
        assertThat(ImageFile.read(caller.awaitPreview()).height()).isEqualTo(16);
        server.drawFast();
        assertThat(caller.awaitPictures().pictures()).hasSize(1);
        server.awaitNoSocket();
    }

    @Test
    void another_users_picture_of_which_everybody_hears_is_not_told() throws Exception {
        server.drawSlowly();
        server.anotherUserDraws("theirs");
        server.awaitDrawing();
        var caller = new Caller(backend(MODEL), request());
        server.awaitPending();
        server.awaitSocket();
        server.draw(20);
        server.awaitDrawingOf(server.lastId());
        assertThat(caller.heardNothing()).isTrue();
        server.draw(1);
        assertThat(caller.awaitStep()).isEqualTo("1/20");
        assertThat(ImageFile.read(caller.awaitPreview()).height()).isEqualTo(8);
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void a_broken_socket_is_opened_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.cutSockets();
        server.awaitSockets(2);
        server.draw(3);
        assertThat(caller.awaitStep()).endsWith("/20");
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void a_socket_that_falls_silent_is_given_up_and_opened_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.muteSockets();
        server.awaitSockets(2);
        server.draw(3);
        assertThat(caller.awaitStep()).endsWith("/20");
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void a_picture_whose_socket_breaks_for_good_is_found_in_the_history() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.awaitSocket();
        server.refuseSockets();
        server.cutSockets();
        server.drawFast();
        assertThat(caller.awaitPictures().pictures()).hasSize(1);
        assertThat(server.calls()).isOne();
    }

    @Test
    void no_socket_is_needed() throws Exception {
        server.refuseSockets();
        var made = backend(MODEL).generate(request(), (_, _) -> {});
        assertThat(ImageFile.read(made.pictures().getFirst().bytes()).height()).isEqualTo(384);
    }

    @Test
    void a_prompt_whose_answer_is_lost_is_found_and_not_posted_again() throws Exception {
        server.loseNextAnswer();
        assertThat(backend(MODEL).generate(request(), (_, _) -> {}).pictures()).hasSize(1);
        server.drawSlowly();
        server.loseNextAnswer();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
        assertThat(server.calls()).isEqualTo(2);
        assertThat(server.drawn()).hasSize(2);
    }

    @Test
    void a_server_that_is_silent_for_a_moment_is_waited_for() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.loseLooks(true);
        server.drawFast();
        server.awaitIdle();
        server.loseLooks(false);
        assertThat(caller.awaitPictures().pictures()).hasSize(1);
    }

    @Test
    void a_server_that_stays_silent_is_given_up_and_tried_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.loseLooks(true);
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure.retryable()).isTrue();
        assertThat(failure).hasMessageStartingWith("backend comfyui: no whole answer from");
        server.loseLooks(false);
        server.awaitInterrupts(1);
        server.awaitIdle();
    }

    @Test
    void a_prompt_that_a_restart_forgot_is_tried_again() throws Exception {
        server.drawSlowly();
        var caller = new Caller(backend(MODEL), request());
        server.awaitDrawing();
        server.restart();
        var failure = (JobFailedException) caller.awaitEnd();
        assertThat(failure.retryable()).isTrue();
        assertThat(failure).hasMessage("backend comfyui: " + server.url().getAuthority()
                + " no longer knows the prompt: it was started again, or somebody removed the prompt");
    }

    @Test
    void many_calls_stand_in_the_queue_of_the_server() throws Exception {
        server.drawSlowly();
        var backend = backend(MODEL);
        var callers = List.of(new Caller(backend, request()), new Caller(backend, request()),
                new Caller(backend, request()));
        server.awaitAtOnce(3);
        assertThat(backend.waiting()).isEqualTo(3);
        server.drawFast();
        for (Caller caller : callers) {
            assertThat(caller.awaitPictures().pictures()).hasSize(1);
        }
        assertThat(server.drawn()).doesNotHaveDuplicates().hasSize(3);
    }
}
