package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.Progress;
import dev.imagen.backend.comfyui.Prompts.Standing;
import dev.imagen.backend.remote.Answer;
import dev.imagen.job.JobFailedException;
import java.net.ConnectException;
import java.net.http.HttpConnectTimeoutException;
import java.util.Optional;

/**
 * One prompt from its being posted to its end. A socket tells of its steps, and that it has ended; how it ended the
 * history tells, which is looked at from time to time in any case: no socket is needed.
 */
final class Run {

    /** An answer that was lost is searched for as long as this, in looks. */
    private static final int SEARCHES = 5;

    private final Prompts prompts;
    private final Failures failures;
    private final Patience patience;
    private final String client;
    private final Watch watch;
    private final long end;

    private String prompt;
    private boolean open;
    private boolean taken;
    private long answered;

    /** @param id that the prompt gets, unless the server is too old to heed it */
    Run(String id, Prompts prompts, Failures failures, Patience patience) {
        this.prompts = prompts;
        this.failures = failures;
        this.patience = patience;
        this.client = id;
        this.prompt = id;
        this.watch = new Watch(id);
        this.end = System.nanoTime() + patience.longest().toNanos();
    }

    /** By which the server knows it. */
    String prompt() {
        return prompt;
    }

    /** Whether the server may have it, and has not ended it. */
    boolean open() {
        return open;
    }

    /** Whether the server has said that it has it. */
    boolean taken() {
        return taken;
    }

    /**
     * Draws a graph.
     *
     * @return what the history says of it
     */
    JsonNode toItsEnd(ObjectNode graph, Progress progress) throws JobFailedException, InterruptedException {
        try (var line = new EventLine(prompts, client, watch, patience.rareLook().toNanos())) {
            line.keepUp();
            post(graph);
            return awaitEnd(line, progress);
        }
    }

    private void post(ObjectNode graph) throws JobFailedException, InterruptedException {
        open = true;
        Answer answer;
        try {
            answer = prompts.post(graph, client);
        } catch (JobFailedException e) {
            if (wasSent(e)) {
                search(e);
            } else {
                open = false;
                throw e;
            }
            return;
        }
        if (answer.ok()) {
            accepted(answer);
        } else if (answer.status() >= 500) {
            // Also what is before the server says that, when it waited too long.
            search(failures.refused(answer));
        } else {
            open = false;
            throw failures.refused(answer);
        }
    }

    private static boolean wasSent(JobFailedException failure) {
        return !(failure.getCause() instanceof ConnectException
                || failure.getCause() instanceof HttpConnectTimeoutException);
    }

    private void accepted(Answer answer) throws JobFailedException, InterruptedException {
        var json = answer.json();
        if (!json.path("prompt_id").isTextual()) {
            search(failures.noPrompt(answer));
            return;
        }
        taken = true;
        if (!json.path("prompt_id").textValue().equals(prompt)) {
            prompt = json.path("prompt_id").textValue();
            watch.follow(prompt);
        }
        if (!json.path("node_errors").isEmpty()) {
            // It would draw a part of the graph, and leave out the rest.
            throw failures.refused(answer);
        }
    }

    /** Looks for the prompt whose answer was lost: posted again, it would be drawn twice. */
    private void search(JobFailedException otherwise) throws JobFailedException, InterruptedException {
        for (int tries = 1; System.nanoTime() < end; tries++) {
            try {
                if (prompts.standing(prompt) == Standing.ABSENT && prompts.ended(prompt).isEmpty()) {
                    open = false;
                    throw otherwise;
                }
                taken = true;
                return;
            } catch (JobFailedException e) {
                if (!open || tries == SEARCHES) {
                    throw otherwise;
                }
            }
            // It knows the prompt a little later than it took it, and no event says when.
            Thread.sleep(patience.look());
        }
        throw otherwise;
    }

    private JsonNode awaitEnd(EventLine line, Progress progress) throws JobFailedException, InterruptedException {
        answered = System.nanoTime();
        for (long next = answered;;) {
            boolean look = watch.await(Math.min(next, end) - System.nanoTime());
            watch.tell(progress);
            line.keepUp();
            if (System.nanoTime() - end >= 0) {
                throw failures.late(patience.longest());
            }
            if (look || System.nanoTime() - next >= 0) {
                var entry = ended();
                if (entry.isPresent()) {
                    watch.tell(progress);
                    open = false;
                    return entry.get();
                }
                next = System.nanoTime() + (line.open() ? patience.rareLook() : patience.look()).toNanos();
            }
        }
    }

    /** A prompt leaves the queue at the moment when it enters the history. */
    private Optional<JsonNode> ended() throws JobFailedException, InterruptedException {
        try {
            var entry = prompts.ended(prompt);
            if (entry.isEmpty() && prompts.standing(prompt) == Standing.ABSENT) {
                entry = prompts.ended(prompt);
                open = entry.isPresent();
            }
            answered = System.nanoTime();
            if (!open) {
                throw failures.lost();
            }
            return entry;
        } catch (JobFailedException e) {
            if (!open || System.nanoTime() - answered > patience.silence().toNanos()) {
                throw e;
            }
            return Optional.empty();
        }
    }
}
