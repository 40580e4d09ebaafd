package dev.imagen.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Divides connections among replicas as a Service of Kubernetes does: a new one goes to a replica that was ready half a
 * second ago, and an open one stays where it is.
 */
public final class Balancer implements AutoCloseable {

    private static final long LOOK_MILLIS = 50;
    private static final Duration NEWS_TRAVELS = Duration.ofMillis(500);
    private static final int OK = 200;

    private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<URI> ready = new CopyOnWriteArrayList<>();
    private final AtomicInteger turns = new AtomicInteger();
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Set<Thread> looks = ConcurrentHashMap.newKeySet();

    /** Listens on a port of its own. */
    public Balancer() throws IOException {
        Thread.ofVirtual().name("balancer").start(this::acceptUntilClosed);
    }

    /** A client that reaches the replicas through it; whoever asks for it closes it. */
    public TestClient client() {
        return new TestClient(listening.getLocalPort());
    }

    /** Sends a replica connections from when it is ready until half a second after it is no more. */
    public void add(ServiceProcess replica) throws InterruptedException {
        var address = replica.awaitReady();
        looks.add(Thread.ofVirtual().name("balancer").start(() -> listWhileReady(address)));
    }

    private void listWhileReady(URI address) {
        try (var client = new TestClient(address.getPort())) {
            ready.add(address);
            while (ready(client)) {
                Thread.sleep(LOOK_MILLIS);
            }
            Thread.sleep(NEWS_TRAVELS);
        } catch (InterruptedException e) {
            // The scenario is over.
        } finally {
            ready.remove(address);
        }
    }

    private static boolean ready(TestClient client) {
        try {
            return client.get("/observe/health/ready").status() == OK;
        } catch (UncheckedIOException e) {
            // It has ended.
            return false;
        }
    }

    private void acceptUntilClosed() {
        while (!listening.isClosed()) {
            try {
                var client = open(listening.accept());
                Thread.ofVirtual().name("balancer").start(() -> connect(client));
            } catch (IOException e) {
                // It was closed.
            }
        }
    }

    private Socket open(Socket socket) throws IOException {
        socket.setTcpNoDelay(true);
        sockets.add(socket);
        return socket;
    }

    private void connect(Socket client) {
        try {
            var listed = List.copyOf(ready);
            var address = listed.get(turns.getAndIncrement() % listed.size());
            var replica = open(new Socket(address.getHost(), address.getPort()));
            Thread.ofVirtual().name("balancer").start(() -> pump(client, replica));
            pump(replica, client);
        } catch (IOException e) {
            close(client);
        }
    }

    /** Until one of both ends. */
    private void pump(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException e) {
            // So has the other direction.
        } finally {
            close(from);
            close(to);
        }
    }

    private void close(Socket socket) {
        sockets.remove(socket);
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        looks.forEach(Thread::interrupt);
        sockets.forEach(this::close);
    }
}
