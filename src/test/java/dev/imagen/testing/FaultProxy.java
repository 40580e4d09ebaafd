package dev.imagen.testing;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Stands between a client and an HTTP server, one request a connection, and does to chosen requests what networks and
 * servers do: answers something else, loses the answer, says nothing, changes a byte on the way. What is signed stays
 * as it was.
 */
public final class FaultProxy implements AutoCloseable {

    private static final String CRLF = "\r\n";

    /** @param method of the requests that are meant */
    private record Planned(String method, Fault fault) {}

    private sealed interface Fault {
        record Answer(String response) implements Fault {}

        record LoseAnswer() implements Fault {}

        record Silence(CountDownLatch reached) implements Fault {}

        record Corrupt() implements Fault {}
    }

    private record Request(String method, String head, byte[] body) {}

    private final int server;
    private final ServerSocket listening;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final ConcurrentLinkedQueue<Planned> planned = new ConcurrentLinkedQueue<>();
    private final List<String> heads = new CopyOnWriteArrayList<>();

    private FaultProxy(int server) throws IOException {
        this.server = server;
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /** A proxy for a server on this port of this machine. */
    public static FaultProxy to(int port) throws IOException {
        var proxy = new FaultProxy(port);
        Thread.ofVirtual().name("fault-proxy").start(proxy::acceptUntilClosed);
        return proxy;
    }

    /** Where it listens. */
    public int port() {
        return listening.getLocalPort();
    }

    /** The first lines of all requests so far. */
    public List<String> requests() {
        return heads.stream().map(head -> head.lines().findFirst().orElse("")).toList();
    }

    /** What this header said in the last request of a method. */
    public Optional<String> header(String method, String name) {
        var beginning = name.toLowerCase(Locale.ROOT) + ":";
        return heads.stream().filter(head -> head.startsWith(method + " ")).reduce((_, last) -> last).stream()
                .flatMap(String::lines).filter(line -> line.toLowerCase(Locale.ROOT).startsWith(beginning))
                .map(line -> line.substring(beginning.length()).strip()).findFirst();
    }

    /** The next request of this method is answered with this; it does not reach the server. */
    public void answer(String method, int status, Map<String, String> headers, String body) {
        var lines = headers.entrySet().stream().map(header -> header.getKey() + ": " + header.getValue() + CRLF)
                .collect(Collectors.joining());
        planned.add(new Planned(method,
                new Fault.Answer("HTTP/1.1 " + status + " Fault" + CRLF + lines + "Connection: close" + CRLF
                        + "Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length + CRLF + CRLF + body)));
    }

    /** The server does what the next request of this method asks for, and its answer is lost. */
    public void loseAnswer(String method) {
        planned.add(new Planned(method, new Fault.LoseAnswer()));
    }

    /** The last byte of the next request of this method is another one when it arrives. */
    public void corrupt(String method) {
        planned.add(new Planned(method, new Fault.Corrupt()));
    }

    /** The next request of this method gets no answer, and its connection stays open. */
    public Silence silence(String method) {
        var reached = new CountDownLatch(1);
        planned.add(new Planned(method, new Fault.Silence(reached)));
        return () -> {
            if (!reached.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("no " + method + " came to the proxy");
            }
        };
    }

    /** A request that waits for nothing. */
    @FunctionalInterface
    public interface Silence {
        /** Returns once the request is there. */
        void await() throws InterruptedException;
    }

    /** What is planned and did not happen does not happen any more. */
    public void mend() {
        planned.clear();
    }

    private void acceptUntilClosed() {
        while (!listening.isClosed()) {
            try {
                var client = listening.accept();
                sockets.add(client);
                Thread.ofVirtual().name("fault-proxy").start(() -> serve(client));
            } catch (IOException e) {
                // The proxy was closed.
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            var request = read(client);
            heads.add(request.head());
            var fault = next(request.method());
            switch (fault) {
                case Fault.Answer(var response) -> client.getOutputStream().write(response.getBytes());
                case Fault.LoseAnswer() -> forward(request);
                case Fault.Silence(var reached) -> {
                    reached.countDown();
                    // Until the client gives up.
                    client.getInputStream().read();
                }
                case Fault.Corrupt() -> {
                    request.body()[request.body().length - 1] ^= 1;
                    client.getOutputStream().write(forward(request));
                }
                case null -> client.getOutputStream().write(forward(request));
            }
        } catch (IOException e) {
            // Either side is gone.
        } finally {
            sockets.remove(client);
        }
    }

    private Fault next(String method) {
        for (Planned plan : planned) {
            if (plan.method().equals(method) && planned.remove(plan)) {
                return plan.fault();
            }
        }
        return null;
    }

    private static Request read(Socket client) throws IOException {
        var in = client.getInputStream();
        var head = head(in);
        int length = head.lines().filter(line -> line.toLowerCase(Locale.ROOT).startsWith("content-length:"))
                .map(line -> Integer.valueOf(line.substring(line.indexOf(':') + 1).strip())).findFirst().orElse(0);
        if (head.toLowerCase(Locale.ROOT).contains("expect: 100-continue")) {
            client.getOutputStream().write(("HTTP/1.1 100 Continue" + CRLF + CRLF).getBytes());
        }
        return new Request(head.substring(0, head.indexOf(' ')), head, in.readNBytes(length));
    }

    /** Up to and with the line end before the empty line. */
    private static String head(InputStream in) throws IOException {
        var head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.ISO_8859_1).endsWith(CRLF + CRLF)) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("the connection ended");
            }
            head.write(next);
        }
        var text = head.toString(StandardCharsets.ISO_8859_1);
        return text.substring(0, text.length() - CRLF.length());
    }

    /** The server's answer, whole: it ends with the connection. */
    private byte[] forward(Request request) throws IOException {
        var lines = request.head().lines()
                .filter(line -> !line.toLowerCase(Locale.ROOT).matches("(connection|expect):.*"))
                .collect(Collectors.joining(CRLF));
        try (var upstream = new Socket(InetAddress.getLoopbackAddress(), server)) {
            var out = upstream.getOutputStream();
            out.write((lines + CRLF + "Connection: close" + CRLF + CRLF).getBytes(StandardCharsets.ISO_8859_1));
            out.write(request.body());
            out.flush();
            return closing(upstream.getInputStream());
        }
    }

    /** Says that the connection ends, so that no client takes it for its next request. */
    private static byte[] closing(InputStream answer) throws IOException {
        var out = new ByteArrayOutputStream();
        var lines = head(answer).lines().filter(line -> !line.toLowerCase(Locale.ROOT).startsWith("connection:"))
                .collect(Collectors.joining(CRLF));
        out.writeBytes((lines + CRLF + "Connection: close" + CRLF + CRLF).getBytes(StandardCharsets.ISO_8859_1));
        answer.transferTo(out);
        return out.toByteArray();
    }

    private static void close(Closeable socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        close(listening);
        sockets.forEach(FaultProxy::close);
    }
}
