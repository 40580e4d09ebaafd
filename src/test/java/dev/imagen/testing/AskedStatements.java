package dev.imagen.testing;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** What a client asks on one connection, as its messages tell: a statement is parsed once and bound many times. */
final class AskedStatements {

    private static final int PARSE = 'P';
    private static final int BIND = 'B';

    private final Map<String, String> sqlByName = new HashMap<>();
    private volatile String last = "";

    /** Reads a message of the client's. */
    void read(int type, byte[] body) {
        if (type == PARSE) {
            var name = text(body, 0);
            sqlByName.put(name, text(body, after(body, 0)));
        } else if (type == BIND) {
            var name = text(body, after(body, 0));
            last = sqlByName.getOrDefault(name, "");
        }
    }

    /** The SQL that was bound last. */
    String last() {
        return last;
    }

    private static String text(byte[] body, int from) {
        return new String(body, from, after(body, from) - 1 - from, StandardCharsets.UTF_8);
    }

    /** Behind the zero that ends a text. */
    private static int after(byte[] body, int from) {
        int end = from;
        while (body[end] != 0) {
            end++;
        }
        return end + 1;
    }
}
