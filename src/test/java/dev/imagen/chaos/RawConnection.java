package dev.imagen.chaos;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** HTTP/1.1 by hand: sends whatever bytes it is given, and reads one answer. */
final class RawConnection implements AutoCloseable {

    /** A silence this long is a hang. */
    private static final Duration LONGEST = Duration.ofSeconds(20);

    private final int port;
    private Socket socket;
    private InputStream input;

    RawConnection(int port) {
        this.port = port;
    }

    /** @param status 0: the connection was closed without an answer */
    record Answer(int status, Map<String, String> headers, String body) {}

    /**
     * Sends a request and reads its answer; of a stream only the head.
     *
     * @throws SocketTimeoutException when there is none in time
     */
    Answer exchange(byte[] request) throws IOException {
        if (socket == null) {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setSoTimeout((int) LONGEST.toMillis());
            socket.setTcpNoDelay(true);
            input = new BufferedInputStream(socket.getInputStream());
        }
        try {
            socket.getOutputStream().write(request);
            socket.getOutputStream().flush();
        } catch (IOException e) {
            // It may have answered and closed before it had read everything: the answer is there all the same.
        }
        return read(new String(request, 0, Math.min(5, request.length), StandardCharsets.ISO_8859_1).equals("HEAD "));
    }

    private Answer read(boolean head) throws IOException {
        try {
            var status = line();
            while (status.startsWith("HTTP/1.1 100")) {
                line();
                status = line();
            }
            var headers = headers();
            var body = head ? "" : body(Integer.parseInt(status.split(" ")[1]), headers);
            if (headers.getOrDefault("connection", "").equalsIgnoreCase("close")) {
                close();
            }
            return new Answer(Integer.parseInt(status.split(" ")[1]), headers, body);
        } catch (EOFException | SocketException e) {
            close();
            return new Answer(0, Map.of(), "");
        }
    }

    private Map<String, String> headers() throws IOException {
        var headers = new TreeMap<String, String>();
        for (var line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
        }
        return headers;
    }

    private String body(int status, Map<String, String> headers) throws IOException {
        if (status == 204 || status == 304) {
            return "";
        }
        if (headers.getOrDefault("content-type", "").startsWith("text/event-stream")) {
            close();
            return "";
        }
        var body = new ByteArrayOutputStream();
        if (headers.getOrDefault("transfer-encoding", "").equalsIgnoreCase("chunked")) {
            for (int size = chunk(); size > 0; size = chunk()) {
                body.write(input.readNBytes(size));
                line();
            }
            line();
        } else {
            body.write(input.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0"))));
        }
        return body.toString(StandardCharsets.UTF_8);
    }

    private int chunk() throws IOException {
        return Integer.parseInt(line().split(";")[0].strip(), 16);
    }

    private String line() throws IOException {
        var line = new ByteArrayOutputStream();
        for (int read = input.read(); read != '\n'; read = input.read()) {
            if (read < 0) {
                throw new EOFException();
            }
            line.write(read);
        }
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
    }

    @Override
    public void close() throws IOException {
        if (socket != null) {
            socket.close();
            socket = null;
        }
    }
}
