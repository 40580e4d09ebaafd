package dev.imagen.backend.comfyui;

import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/**
 * The socket that hears of one prompt, connected again when it breaks. Nobody waits for it. It is pinged, since a
 * network can break without a word.
 */
final class EventLine implements AutoCloseable {

    /** Of pings, without an answer to any. */
    private static final int MOST_UNANSWERED = 3;

    private final Prompts prompts;
    private final String client;
    private final Watch watch;
    private final long pause;
    private Connection connection;
    private long lastTry;

    /**
     * @param client by which the server knows whom to tell
     * @param pause nanoseconds between two pings, and between two connections
     */
    EventLine(Prompts prompts, String client, Watch watch, long pause) {
        this.prompts = prompts;
        this.client = client;
        this.watch = watch;
        this.pause = pause;
    }

    /**
     * Connects if there is no connection and none on its way, or pings; does so from time to time however often asked.
     */
    void keepUp() {
        if (connection != null && System.nanoTime() - lastTry < pause) {
            return;
        }
        lastTry = System.nanoTime();
        if (connection == null || connection.broken) {
            connection = new Connection();
        } else {
            connection.ping();
        }
    }

    /** Whether the server can tell now. */
    boolean open() {
        return connection != null && !connection.broken && connection.socket.isDone();
    }

    @Override
    public void close() {
        if (connection != null) {
            connection.close();
        }
    }

    /** One connection, or an attempt at one. */
    private final class Connection {

        private final SocketMessages messages = new SocketMessages(watch, this::broke);
        private final CompletableFuture<WebSocket> socket = prompts.socket(client, messages);
        private volatile boolean broken;
        private int unanswered;

        private Connection() {
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

        private void ping() {
            if (!socket.isDone()) {
                // Its handshake has a limit of its own.
                return;
            }
            unanswered = messages.heard() ? 0 : unanswered + 1;
            if (unanswered > MOST_UNANSWERED) {
                socket.thenAccept(WebSocket::abort);
                broke();
                return;
            }
            socket.thenCompose(open -> open.sendPing(ByteBuffer.allocate(0))).whenComplete((_, failure) -> {
                if (failure != null) {
                    broke();
                }
            });
        }

        private void close() {
            socket.thenAccept(
                    open -> open.sendClose(WebSocket.NORMAL_CLOSURE, "").whenComplete((_, _) -> open.abort()));
        }
    }
}
