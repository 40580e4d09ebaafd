package dev.imagen.testing;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stands before a server of HTTP that knows no WebSockets: answers what asks for one, and passes on everything else,
 * one request for each connection.
 */
final class WebSocketFront implements AutoCloseable {

    private static final int LONGEST_HEAD = 64 * 1024;

    /** Who has the sockets. */
    interface Sockets {
        /** @return the status of a refusal, or 101 */
        int asked(String path, Map<String, String> headers);

        /** Another one is there; {@link Connection#send} may be called from now on. */
        void opened(String path, Connection connection);

        /** One is no more. */
        void closed(Connection connection);
    }

    /** An open socket, that messages are sent by. */
    static final class Connection {

        private final Socket socket;
        private volatile boolean mute;

        private Connection(Socket socket) {
            this.socket = socket;
        }

        /** A message of text. */
        void send(String text) {
            frame(0x81, text.getBytes(StandardCharsets.UTF_8));
        }

        /** A message of bytes. */
        void send(byte[] bytes) {
            frame(0x82, bytes);
        }

        private synchronized void frame(int head, byte[] payload) {
            if (mute) {
                return;
            }
            var frame = new ByteArrayOutputStream(payload.length + 10);
            frame.write(head);
            if (payload.length < 126) {
                frame.write(payload.length);
            } else if (payload.length < 1 << 16) {
                frame.write(126);
                frame.write(payload.length >> 8);
                frame.write(payload.length);
            } else {
                frame.write(127);
                for (int shift = 56; shift >= 0; shift -= 8) {
                    frame.write((int) ((long) payload.length >> shift));
                }
            }
            frame.writeBytes(payload);
            try {
                socket.getOutputStream().write(frame.toByteArray());
            } catch (IOException e) {
                // As the real server: whoever is gone is told nothing.
            }
        }

        /** Says nothing any more, and stays open: a network can break like that. */
        void mute() {
            mute = true;
        }

        /** Without a word, as a process dies. */
        void cut() {
            WebSocketFront.close(socket);
        }
    }

    private final ServerSocket listening;
    private final int behind;
    private final Sockets sockets;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    /** @param port to listen on; 0: any @param behind the port of the other server */
    WebSocketFront(int port, int behind, Sockets sockets) throws IOException {
        this.listening = new ServerSocket(port, 100, InetAddress.getLoopbackAddress());
        this.behind = behind;
        this.sockets = sockets;
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                var socket = listening.accept();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            var head = head(socket.getInputStream());
            var headers = headers(head);
            if (headers.getOrDefault("upgrade", "").equalsIgnoreCase("websocket")) {
                webSocket(socket, head.split(" ")[1], headers);
            } else {
                passOn(socket, head);
            }
        } catch (IOException e) {
            // The client sees it.
        } finally {
            open.remove(socket);
        }
    }

    /** To the empty line, which it ends with. */
    private static String head(InputStream in) throws IOException {
        var head = new StringBuilder();
        while (head.length() < 4 || !head.substring(head.length() - 4).equals("\r\n\r\n")) {
            int next = in.read();
            if (next < 0 || head.length() == LONGEST_HEAD) {
                throw new IOException("no request");
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private static Map<String, String> headers(String head) {
        var headers = new TreeMap<String, String>(String.CASE_INSENSITIVE_ORDER);
        head.lines().skip(1).filter(line -> line.contains(":")).forEach(line -> headers
                .put(line.substring(0, line.indexOf(':')), line.substring(line.indexOf(':') + 1).strip()));
        return headers;
    }

    private void passOn(Socket client, String head) throws IOException {
        try (var server = new Socket(InetAddress.getLoopbackAddress(), behind)) {
            open.add(server);
            // The next request of this client comes by another connection, and is looked at again.
            server.getOutputStream().write(
                    head.replaceFirst("\r\n", "\r\nConnection: close\r\n").getBytes(StandardCharsets.ISO_8859_1));
            Thread.ofVirtual().start(() -> {
                copy(client, server);
                close(server);
            });
            copy(server, client);
            open.remove(server);
        }
    }

    private static void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // One of them is gone; then the other is let go too.
        }
    }

    private void webSocket(Socket socket, String path, Map<String, String> headers) throws IOException {
        var out = socket.getOutputStream();
        int status = "13".equals(headers.get("sec-websocket-version")) && headers.containsKey("sec-websocket-key")
                ? sockets.asked(path, headers)
                : 400;
        if (status != 101) {
            write(out, "HTTP/1.1 " + status + " Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return;
        }
        write(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: " + accepted(headers.get("sec-websocket-key")) + "\r\n\r\n");
        var connection = new Connection(socket);
        sockets.opened(path, connection);
        try {
            readToTheEnd(new DataInputStream(socket.getInputStream()), connection);
            connection.frame(0x88, new byte[0]);
        } finally {
            sockets.closed(connection);
        }
    }

    private static String accepted(String key) {
        try {
            return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-1")
                    .digest((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(StandardCharsets.US_ASCII)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-1", e);
        }
    }

    /** What clients say is nothing that matters, until they close; but their pings are answered. */
    private static void readToTheEnd(DataInputStream in, Connection connection) throws IOException {
        for (int opcode = 0; opcode != 8;) {
            opcode = in.readUnsignedByte() & 0x0F;
            int length = in.readUnsignedByte();
            if ((length & 0x80) == 0) {
                throw new IOException("a client masks what it sends");
            }
            long payload = switch (length & 0x7F) {
                case 126 -> in.readUnsignedShort();
                case 127 -> in.readLong();
                default -> length & 0x7F;
            };
            byte[] mask = in.readNBytes(4);
            byte[] bytes = in.readNBytes((int) payload);
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] ^= mask[i % 4];
            }
            if (opcode == 9) {
                connection.frame(0x8A, bytes);
            }
        }
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is no more in any case.
        }
    }

    @Override
    public void close() {
        try {
            listening.close();
        } catch (IOException e) {
            // It is no more in any case.
        }
        open.forEach(WebSocketFront::close);
    }
}
