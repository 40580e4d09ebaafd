package dev.imagen.bench;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** One kept HTTP/1.1 connection, which costs the measured process as little as a client can. */
final class RawHttp implements AutoCloseable {

    private final Socket socket;
    private final InputStream in;

    RawHttp(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** @return the head of the answer, whose body has been read */
    String send(String method, String path, String body) throws IOException {
        var request = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                + "Content-Length: " + body.length() + "\r\n\r\n" + body;
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        var head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("the server closed the connection after: " + head);
            }
            head.append((char) next);
        }
        in.skipNBytes(Long.parseLong(field(head.toString(), "content-length")));
        return head.toString();
    }

    /** @return the job's Location */
    String postJob() throws IOException {
        return field(send("POST", "/jobs", "{\"prompt\": \"a quiet bay\"}"), "location");
    }

    private static String field(String head, String name) {
        return head.lines().filter(line -> line.toLowerCase().startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip()).findFirst()
                .orElseThrow(() -> new IllegalStateException("no " + name + " in " + head));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
