package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionStage;

/** The messages of one connection, put together from their parts. One that is too long is left out. */
final class SocketMessages implements WebSocket.Listener {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** A preview is small; so is what is told of steps. */
    private static final int MOST_BYTES = 4 * 1024 * 1024;

    /** What a binary message is, and then which kind of picture. */
    private static final int PREVIEW = 1;
    private static final int HEADERS = 2 * Integer.BYTES;

    private final Watch watch;
    private final Runnable ended;
    private final ByteArrayOutputStream parts = new ByteArrayOutputStream();
    private volatile boolean heard;
    private boolean tooLong;

    /** @param ended told when the connection is no more */
    SocketMessages(Watch watch, Runnable ended) {
        this.watch = watch;
        this.ended = ended;
    }

    /** Whether anything was heard since this was asked last. */
    boolean heard() {
        boolean before = heard;
        heard = false;
        return before;
    }

    @Override
    public void onOpen(WebSocket socket) {
        // What was told before is in the history only.
        watch.lookAtHistory();
        socket.request(1);
    }

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
        add(part.toString().getBytes(StandardCharsets.UTF_8));
        if (last && !tooLong) {
            text(parts.toByteArray());
        }
        return next(socket, last);
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
        byte[] bytes = new byte[part.remaining()];
        part.get(bytes);
        add(bytes);
        if (last && !tooLong) {
            binary(ByteBuffer.wrap(parts.toByteArray()));
        }
        return next(socket, last);
    }

    private void add(byte[] part) {
        tooLong |= parts.size() + part.length > MOST_BYTES;
        if (!tooLong) {
            parts.writeBytes(part);
        }
    }

    @Override
    public CompletionStage<?> onPong(WebSocket socket, ByteBuffer message) {
        return next(socket, false);
    }

    private CompletionStage<?> next(WebSocket socket, boolean last) {
        heard = true;
        if (last) {
            parts.reset();
            tooLong = false;
        }
        socket.request(1);
        return null;
    }

    private void text(byte[] message) {
        try {
            watch.message(JSON.readTree(new String(message, StandardCharsets.UTF_8)));
        } catch (JsonProcessingException e) {
            // Whatever speaks there: the history says what matters.
        }
    }

    private void binary(ByteBuffer message) {
        if (message.remaining() > HEADERS && message.getInt() == PREVIEW) {
            message.getInt();
            byte[] picture = new byte[message.remaining()];
            message.get(picture);
            watch.preview(picture);
        }
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
        ended.run();
        return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable failure) {
        ended.run();
    }
}
