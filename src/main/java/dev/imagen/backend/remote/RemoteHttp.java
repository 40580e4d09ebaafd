package dev.imagen.backend.remote;

import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.ResponseInfo;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/**
 * The one HTTP client of all remote backends, made when the first of them calls. It goes through the proxy that the
 * system properties name, and follows no redirect, which would take a key elsewhere.
 */
public final class RemoteHttp implements AutoCloseable {

    /** For a connection, TLS included. */
    static final Duration CONNECT = Duration.ofSeconds(10);

    /** What explains an error is at its beginning. */
    private static final int ERROR_BYTES = 64 * 1024;

    private ExecutorService threads;
    private HttpClient client;

    /**
     * HTTP/1.1: a server may allow few streams on a connection of HTTP/2, and the client would refuse further calls.
     */
    private synchronized HttpClient client() {
        if (client == null) {
            threads = Executors.newVirtualThreadPerTaskExecutor();
            client = HttpClient.newBuilder().version(Version.HTTP_1_1).followRedirects(Redirect.NEVER)
                    .connectTimeout(CONNECT).executor(threads).build();
        }
        return client;
    }

    /**
     * One exchange, from the connection to the last byte; an interrupt ends it and closes the connection.
     *
     * @param most bytes of a body that is no error's; what comes after them is not waited for
     * @param longest of the whole exchange: HttpClient's own timeout would end with the headers of a response
     * @throws ExecutionException when there is no whole answer; its cause says why
     */
    Answer exchange(HttpRequest request, long most, Duration longest)
            throws ExecutionException, TimeoutException, InterruptedException {
        stopIfInterrupted();
        var exchange = client().sendAsync(request, head -> whole(head, most));
        try {
            return answer(exchange.get(longest.toMillis(), TimeUnit.MILLISECONDS));
        } finally {
            exchange.cancel(true);
        }
    }

    /** For a socket, whose handshake may take as long as a connection. */
    WebSocket.Builder webSocket() {
        return client().newWebSocketBuilder().connectTimeout(CONNECT);
    }

    /**
     * The same with an answer that may be a stream of server-sent events.
     *
     * @param most as of {@link #exchange}, over all events
     * @param events hears the data of each, on this thread; false: enough, and the connection is closed
     */
    Answer stream(HttpRequest request, long most, Duration longest, Predicate<byte[]> events)
            throws ExecutionException, TimeoutException, InterruptedException {
        stopIfInterrupted();
        long end = System.nanoTime() + longest.toNanos();
        var head = new AtomicReference<ResponseInfo>();
        var heard = new LinkedBlockingQueue<Optional<byte[]>>();
        var exchange = client().sendAsync(request, info -> {
            head.set(info);
            return streams(info) ? events(most, heard) : whole(info, most);
        });
        exchange.whenComplete((_, _) -> heard.add(Optional.empty()));
        try {
            for (;;) {
                var event = heard.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (event == null) {
                    throw new TimeoutException();
                }
                if (event.isEmpty()) {
                    return answer(exchange.get());
                }
                if (!events.test(event.get())) {
                    return new Answer(head.get().statusCode(), head.get().headers(), new byte[0], false);
                }
            }
        } finally {
            exchange.cancel(true);
        }
    }

    /** Before anything is sent that would cost something. */
    private static void stopIfInterrupted() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    private static FirstBytes whole(ResponseInfo head, long most) {
        return FirstBytes.kept(Answer.ok(head.statusCode()) ? most : ERROR_BYTES);
    }

    private static boolean streams(ResponseInfo head) {
        return Answer.ok(head.statusCode()) && Answer.events(head.headers());
    }

    private static FirstBytes events(long most, Queue<Optional<byte[]>> heard) {
        var events = new ServerSentEvents(data -> heard.add(Optional.of(data)));
        return FirstBytes.given(most, events::take);
    }

    private static Answer answer(HttpResponse<FirstBytes.Body> response) {
        return new Answer(response.statusCode(), response.headers(), response.body().bytes(), response.body().cut());
    }

    @Override
    public synchronized void close() {
        if (client != null) {
            client.shutdownNow();
            threads.shutdownNow();
        }
    }
}
