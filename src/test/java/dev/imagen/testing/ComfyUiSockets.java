package dev.imagen.testing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.testing.WebSocketFront.Connection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** The sockets of a ComfyUI, by the ids that their clients gave themselves: one for each, the last one. */
final class ComfyUiSockets implements WebSocketFront.Sockets, ComfyUiQueue.Told {

    private static final String PATH = "/ws?clientId=";

    private final Map<String, Connection> open = new ConcurrentHashMap<>();
    private final AtomicInteger opened = new AtomicInteger();
    private volatile Runnable changed = () -> {};
    private volatile boolean refused;

    /** @param changed told when there is one more or one less */
    void tell(Runnable changed) {
        this.changed = changed;
    }

    int count() {
        return open.size();
    }

    int opened() {
        return opened.get();
    }

    void refuse() {
        refused = true;
    }

    void mute() {
        open.values().forEach(Connection::mute);
    }

    void cut() {
        var cut = List.copyOf(open.values());
        open.clear();
        cut.forEach(Connection::cut);
    }

    @Override
    public int asked(String path, Map<String, String> headers) {
        if (refused || !path.startsWith(PATH)) {
            return 404;
        }
        if (headers.containsKey("Origin")) {
            return 403;
        }
        return ("Bearer " + ComfyUiServer.KEY).equals(headers.get("Authorization")) ? 101 : 401;
    }

    @Override
    public void opened(String path, Connection connection) {
        var client = path.substring(PATH.length());
        open.put(client, connection);
        opened.incrementAndGet();
        connection.send("{\"type\": \"status\", \"data\": {\"status\": {\"exec_info\": {\"queue_remaining\": 0}},"
                + " \"sid\": \"" + client + "\"}}");
        changed.run();
    }

    @Override
    public void closed(Connection connection) {
        open.values().remove(connection);
        changed.run();
    }

    @Override
    public void message(String client, JsonNode message) {
        send(client, socket -> socket.send(message.toString()));
    }

    @Override
    public void message(String client, byte[] message) {
        send(client, socket -> socket.send(message));
    }

    private void send(String client, Consumer<Connection> sending) {
        open.forEach((id, socket) -> {
            if (client.isEmpty() || client.equals(id)) {
                sending.accept(socket);
            }
        });
    }
}
