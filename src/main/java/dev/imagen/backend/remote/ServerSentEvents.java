package dev.imagen.backend.remote;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Reads a stream of server-sent events (HTML, 9.2.6), of which nothing but the data is told. Data of an event that does
 * not end counts for nothing.
 */
final class ServerSentEvents {

    private static final byte[] DATA = {'d', 'a', 't', 'a'};
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final Consumer<byte[]> events;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private boolean begun;
    private boolean returned;

    /** @param events hears the data of each, in UTF-8 */
    ServerSentEvents(Consumer<byte[]> events) {
        this.events = events;
    }

    /** Takes the next bytes, of which lines end with LF, CR or both. */
    void take(byte[] bytes) {
        int start = 0;
        for (int i = 0; i < bytes.length; i++) {
            boolean secondHalf = bytes[i] == '\n' && returned;
            returned = bytes[i] == '\r';
            if (secondHalf) {
                start = i + 1;
            } else if (bytes[i] == '\n' || returned) {
                line.write(bytes, start, i - start);
                start = i + 1;
                endLine();
            }
        }
        line.write(bytes, start, bytes.length - start);
    }

    private void endLine() {
        byte[] text = line.toByteArray();
        line.reset();
        int from = !begun && startsWith(text, 0, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
        begun = true;
        if (from == text.length) {
            endEvent();
        } else if (startsWith(text, from, DATA)) {
            field(text, from + DATA.length);
        }
    }

    /** What follows the name: nothing, or a colon, perhaps a space, and the value. */
    private void field(byte[] text, int end) {
        if (end == text.length) {
            data.write('\n');
        } else if (text[end] == ':') {
            int value = end + 1 < text.length && text[end + 1] == ' ' ? end + 2 : end + 1;
            data.write(text, value, text.length - value);
            data.write('\n');
        }
    }

    private void endEvent() {
        if (data.size() > 0) {
            byte[] all = data.toByteArray();
            data.reset();
            events.accept(Arrays.copyOf(all, all.length - 1));
        }
    }

    private static boolean startsWith(byte[] text, int from, byte[] start) {
        return text.length - from >= start.length
                && Arrays.equals(text, from, from + start.length, start, 0, start.length);
    }
}
