package dev.imagen.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Stands in for a provider's server. It answers as the provider does, strictly, unless the test says how the next call
 * that asks for a picture fares.
 */
public abstract class ContractServer implements AutoCloseable {

    /** How a call fares instead of being answered. */
    @FunctionalInterface
    public interface Fault {
        /** Answers the call in its own way. */
        void meet(HttpExchange exchange) throws IOException;
    }

    /** Calls that come at the same moment, as those of a large queue do. */
    private static final int BACKLOG = 4096;

    private final Queue<Fault> faults = new ConcurrentLinkedQueue<>();
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicLong sent = new AtomicLong();
    private final Set<String> headers = ConcurrentHashMap.newKeySet();
    private final CountDownLatch called = new CountDownLatch(1);
    private final CountDownLatch gone = new CountDownLatch(1);
    private volatile CountDownLatch hold = new CountDownLatch(0);
    private volatile HttpServer server;

    /** Not yet listening. */
    protected ContractServer() {}

    /** Listens, on a port of its own or on the one that it had before {@link #close}. */
    public void listen() throws IOException {
        int port = server == null ? 0 : server.getAddress().getPort();
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::handle);
        server.start();
    }

    /** Where it listens. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** What the next call that asks for a picture meets; after it the one after that, and so on. */
    public final void next(Fault fault) {
        faults.add(fault);
    }

    /** From now on no call for a picture is answered before the latch is down. */
    public final void hold(CountDownLatch until) {
        hold = until;
    }

    /** How many calls asked for a picture. */
    public final int calls() {
        return calls.get();
    }

    /** Names of the headers that came, in lower case. */
    public final Set<String> headers() {
        return headers;
    }

    /** Bytes of the fault's answer so far. */
    public final long sent() {
        return sent.get();
    }

    /** Waits until somebody asks for a picture. */
    public final void awaitCall() throws InterruptedException {
        await(called, "nobody called");
    }

    /** Waits until a client has closed the connection that it was answered on. */
    public final void awaitGone() throws InterruptedException {
        await(gone, "the client is still there");
    }

    /** Waits for a signal. @param otherwise what is wrong where it does not come */
    protected static void await(CountDownLatch latch, String otherwise) throws InterruptedException {
        if (!latch.await(20, TimeUnit.SECONDS)) {
            throw new AssertionError(otherwise);
        }
    }

    /** Before every answer, a fault's too. */
    protected void prepare(HttpExchange exchange) {}

    /** Whether this call asks for a picture. */
    protected abstract boolean generates(HttpExchange exchange);

    /** Answers as the provider does. */
    protected abstract void answer(HttpExchange exchange) throws IOException;

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestHeaders().keySet().forEach(name -> headers.add(name.toLowerCase(Locale.ROOT)));
            prepare(exchange);
            Fault fault = null;
            if (generates(exchange)) {
                calls.incrementAndGet();
                called.countDown();
                fault = faults.poll();
                hold.await();
            }
            if (fault == null) {
                answer(exchange);
            } else {
                exchange.getRequestBody().readAllBytes();
                fault.meet(exchange);
            }
        } catch (InterruptedException e) {
            throw new IOException("the server is closed", e);
        } catch (IOException e) {
            // However far the answer was.
            gone.countDown();
            throw e;
        }
    }

    /** Sends a whole answer. */
    public static void send(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    /** This status, these headers, this JSON. */
    public static Fault status(int status, Map<String, String> headers, String json) {
        return exchange -> {
            headers.forEach(exchange.getResponseHeaders()::set);
            send(exchange, status, "application/json", json.getBytes(StandardCharsets.UTF_8));
        };
    }

    /** 200 with something else than the API's JSON. */
    public static Fault content(String type, String body) {
        return exchange -> send(exchange, 200, type, body.getBytes(StandardCharsets.UTF_8));
    }

    /** An error of a gateway that shows what it was sent. */
    public static Fault echo(int status) {
        return exchange -> {
            var headers = exchange.getRequestHeaders().values().toString().replace("\"", "'");
            send(exchange, status, "application/json",
                    ("{\"error\": {\"message\": \"refused: " + headers + "\"}}").getBytes(StandardCharsets.UTF_8));
        };
    }

    /** Half of what it announces, and then no connection. */
    public static Fault breaking() {
        return breaking("application/json", "0".repeat(500));
    }

    /** The beginning of an answer, and then no connection. */
    public static Fault breaking(String type, String beginning) {
        return exchange -> {
            byte[] bytes = beginning.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(200, 2L * bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.getResponseBody().flush();
            throw new IOException("broken on purpose");
        };
    }

    /** White space without end, a byte at a time, until the client goes. */
    public final Fault drip() {
        return endless("application/json", " ");
    }

    /** White space without end, as fast as it is taken, until the client goes. */
    public final Fault flood() {
        return endless("application/json", " ".repeat(64 * 1024));
    }

    /** A piece again and again until the client goes, short ones slowly. */
    public final Fault endless(String type, String piece) {
        return exchange -> endless(exchange, type, piece.getBytes(StandardCharsets.UTF_8));
    }

    private void endless(HttpExchange exchange, String type, byte[] piece) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(200, 0);
        while (!Thread.interrupted()) {
            exchange.getResponseBody().write(piece);
            exchange.getResponseBody().flush();
            sent.addAndGet(piece.length);
            if (piece.length < 1024) {
                LockSupport.parkNanos(5_000_000);
            }
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
