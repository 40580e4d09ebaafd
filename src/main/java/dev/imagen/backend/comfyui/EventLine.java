package dev.imagen.backend.comfyui;

import java.net.http.WebSocket;
import java.util.concurrent.CompletableFuture;

/** The socket that hears of one prompt, connected again when it breaks. Nobody waits for it. */
final class EventLine implements AutoCloseable {

    private final Prompts prompts;
    private final String client;
    private final Watch watch;
    private final long pause;
    private CompletableFuture<WebSocket> socket;
    private long lastTry;
    private volatile boolean broken = true;

    /**
     * @param client by which the server knows whom to tell
     * @param pause nanoseconds between two connections
     */
    EventLine(Prompts prompts, String client, Watch watch, long pause) {
        this.prompts = prompts;
        this.client = client;
        this.watch = watch;
        this.pause = pause;
    }

    /** Connects if there is no connection and none on its way. */
    void keepUp() {
        if (!broken || socket != null && System.nanoTime() - lastTry < pause) {
            return;
        }
        broken = false;
        lastTry = System.nanoTime();
        socket = prompts.socket(client, new SocketMessages(watch, this::broke));
        socket.whenComplete((_, failure) -> {
            if (failure != null) {
                broke();
            }
        });
    }

    private void broke() {
        broken = true;
        watch.lookAtHistory();
    }

    /** Whether the server can tell now. */
    boolean open() {
        return !broken && socket != null && socket.isDone();
    }

    @Override
    public void close() {
        if (socket != null) {
            socket.thenAccept(
                    open -> open.sendClose(WebSocket.NORMAL_CLOSURE, "").whenComplete((_, _) -> open.abort()));
        }
    }
}
