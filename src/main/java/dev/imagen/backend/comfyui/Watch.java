package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.Progress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * What a socket tells of one prompt, until the thread that waits for its picture takes it. A server tells those whom a
 * prompt does not concern of it too, where whoever asked for it has no socket; and it does not say whose a preview is.
 * But it draws one prompt at a time.
 */
final class Watch {

    private String prompt;
    private boolean drawn;

    // How far it is, the nodes that take steps one after the other.
    private String node = "";
    private int before;
    private int value;
    private int most;

    private int told;
    private byte[] preview;
    private boolean look;

    /** @param prompt by id */
    Watch(String prompt) {
        this.prompt = prompt;
    }

    /** The server has given it another id. */
    synchronized void follow(String prompt) {
        this.prompt = prompt;
        lookAtHistory();
    }

    synchronized void message(JsonNode message) {
        var data = message.path("data");
        var type = message.path("type").asText();
        if (!data.path("prompt_id").isTextual()) {
            return;
        }
        boolean ours = data.path("prompt_id").textValue().equals(prompt);
        switch (type) {
            case "execution_start", "executing" -> {
                boolean end = type.equals("executing") && !data.path("node").isTextual();
                drawn = ours && !end;
                if (ours && end) {
                    lookAtHistory();
                }
            }
            case "progress" -> {
                drawn = ours;
                if (ours) {
                    reached(data.path("node").asText(), data.path("value").asInt(), data.path("max").asInt());
                }
            }
            default -> {
                // Of nodes and their outputs, which the history tells in the end.
            }
        }
    }

    private void reached(String node, int value, int most) {
        if (value < 1 || most < value) {
            return;
        }
        if (!node.equals(this.node) || value < this.value) {
            before += this.most;
        }
        this.node = node;
        this.value = value;
        this.most = most;
        notifyAll();
    }

    synchronized void preview(byte[] picture) {
        if (drawn) {
            preview = picture;
            notifyAll();
        }
    }

    /** Something happened that only the history tells. */
    synchronized void lookAtHistory() {
        look = true;
        notifyAll();
    }

    /** Waits until something is told, at most so long. @return whether to look at the history */
    synchronized boolean await(long nanos) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        for (long left = nanos; left > 0 && !look && preview == null
                && before + value == told; left = end - System.nanoTime()) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        boolean looks = look;
        look = false;
        return looks;
    }

    /** Passes on what is new. */
    void tell(Progress progress) {
        int step;
        int steps;
        boolean moved;
        Optional<byte[]> picture;
        synchronized (this) {
            step = before + value;
            steps = before + most;
            moved = step > told;
            told = step;
            picture = Optional.ofNullable(preview);
            preview = null;
        }
        if (moved) {
            progress.finished(step, steps);
        }
        picture.ifPresent(progress::preview);
    }
}
