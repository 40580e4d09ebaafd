package dev.imagen.backend.remote;

import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

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
        if (Thread.interrupted()) {
            // Before anything is sent that would cost something.
            throw new InterruptedException();
        }
        var exchange = client().sendAsync(request,
                head -> new FirstBytes(Answer.ok(head.statusCode()) ? most : ERROR_BYTES));
        try {
            return answer(exchange.get(longest.toMillis(), TimeUnit.MILLISECONDS));
        } finally {
            exchange.cancel(true);
        }
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
