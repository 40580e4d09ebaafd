package dev.imagen.api;

import io.helidon.common.media.type.MediaTypes;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Writes server-sent events (WHATWG HTML, section 9.2), each flushed at once. An IOException: the client is gone. */
final class SseWriter implements AutoCloseable {

    private final OutputStream out;

    private SseWriter(OutputStream out) {
        this.out = out;
    }

    static SseWriter open(ServerRequest request, ServerResponse response) {
        if (!request.headers().isAccepted(MediaTypes.TEXT_EVENT_STREAM)) {
            throw Problem.exception(Status.NOT_ACCEPTABLE_406, "this is a stream: accept text/event-stream");
        }
        response.headers().set(HeaderNames.CONTENT_TYPE, "text/event-stream");
        response.headers().set(HeaderNames.CACHE_CONTROL, "no-store");
        // Where the process stops, streams end last, and who sent a request by the same connection would lose it.
        response.headers().set(HeaderValues.CONNECTION_CLOSE);
        // nginx would hold events back.
        response.headers().set(HeaderNames.create("X-Accel-Buffering"), "no");
        return new SseWriter(response.outputStream());
    }

    /**
     * What {@link #send} takes.
     *
     * @param data one line of JSON
     */
    static byte[] event(String name, Optional<String> id, byte[] data) {
        var head = (id.map(value -> "id: " + value + "\n").orElse("") + "event: " + name + "\ndata: ")
                .getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(head.length + data.length + 2).put(head).put(data).put((byte) '\n').put((byte) '\n')
                .array();
    }

    /** What clients skip: it keeps the connection open, and shows whether it still is. */
    void comment(String text) throws IOException {
        send((": " + text + "\n\n").getBytes(StandardCharsets.UTF_8));
    }

    /** In one piece, which is a chunk and a write to the socket. */
    void send(byte[] whole) throws IOException {
        out.write(whole);
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
