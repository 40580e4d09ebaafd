package dev.imagen.testing;

import dev.imagen.config.Login;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/**
 * Stands between a service and PostgreSQL. It can lose an answer (the server has done all the work and committed, and
 * the client sees its connection break before it has read the result), break every connection, and be a black hole
 * (connections stay open and nothing comes through).
 */
public final class CuttingProxy implements AutoCloseable {

    private static final int DATA_ROW = 'D';
    private static final int READY_FOR_QUERY = 'Z';
    private static final CountDownLatch OPEN = new CountDownLatch(0);

    /** @param statement whether the answer to this SQL is meant */
    private record Armed(Predicate<String> statement, CountDownLatch done) {}

    private final Login server;
    private final URI target;
    private final ServerSocket listening;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Armed> armed = new AtomicReference<>();
    private volatile CountDownLatch way = OPEN;

    private CuttingProxy(Login server) throws IOException {
        this.server = server;
        this.target = URI.create(server.url().substring("jdbc:".length()));
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    /** A proxy for this server, on a port of its own. */
    public static CuttingProxy to(Login server) throws IOException {
        var proxy = new CuttingProxy(server);
        Thread.ofVirtual().name("proxy").start(proxy::acceptUntilClosed);
        return proxy;
    }

    /** The same login through the proxy; without TLS, whose messages the proxy could not tell apart. */
    public Login login() {
        return new Login("jdbc:postgresql://127.0.0.1:" + listening.getLocalPort() + target.getPath()
                + "?sslmode=disable&gssEncMode=disable", server.username(), server.password());
    }

    /**
     * Loses the next answer that holds a row, on whichever connection it comes: the client gets nothing more from its
     * first row on, and the connection ends when the server is ready again, which is after its commit.
     *
     * @return to wait until that has happened
     */
    public Cut cutNextAnswer() {
        return cutNextAnswer(_ -> true);
    }

    /** The same for the next answer to a statement that is meant. */
    public Cut cutNextAnswer(Predicate<String> statement) {
        var done = new CountDownLatch(1);
        armed.set(new Armed(statement, done));
        return () -> {
            if (!done.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("no answer with a row passed the proxy");
            }
        };
    }

    /** An answer that will be lost. */
    @FunctionalInterface
    public interface Cut {
        /** Returns once the answer is lost. */
        void await() throws InterruptedException;
    }

    /** Breaks every connection at once. */
    public void cutAll() {
        sockets.forEach(CuttingProxy::close);
    }

    /** From now on no byte passes in either direction; new connections are accepted, and silent too. */
    public void blackhole() {
        way = new CountDownLatch(1);
    }

    /** Lets bytes pass again, those first that were sent meanwhile: TCP would have repeated them. */
    public void heal() {
        way.countDown();
    }

    private void acceptUntilClosed() {
        while (!listening.isClosed()) {
            try {
                var client = listening.accept();
                sockets.add(client);
                Thread.ofVirtual().name("proxy").start(() -> connect(client));
            } catch (IOException e) {
                // The proxy was closed.
            }
        }
    }

    private void connect(Socket client) {
        try {
            passable();
            var postgres = new Socket(target.getHost(), target.getPort());
            sockets.add(postgres);
            client.setTcpNoDelay(true);
            postgres.setTcpNoDelay(true);
            var asked = new AskedStatements();
            pump(client, postgres, () -> questions(client.getInputStream(), postgres.getOutputStream(), asked));
            pump(client, postgres, () -> answers(postgres.getInputStream(), client.getOutputStream(), asked));
        } catch (IOException e) {
            // The server is down: the client sees its connection end.
            close(client);
            sockets.remove(client);
        }
    }

    private void passable() throws IOException {
        try {
            way.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @FunctionalInterface
    private interface Pump {
        void run() throws IOException;
    }

    private void pump(Socket client, Socket postgres, Pump pump) {
        Thread.ofVirtual().name("proxy").start(() -> {
            try {
                pump.run();
            } catch (IOException e) {
                // Either side is gone; so is the other one in a moment.
            } finally {
                close(client);
                close(postgres);
                sockets.remove(client);
                sockets.remove(postgres);
            }
        });
    }

    /** The first message has no type; the others have one byte of it. */
    private void questions(InputStream client, OutputStream postgres, AskedStatements asked) throws IOException {
        var in = new DataInputStream(client);
        int startup = in.readInt();
        pass(postgres, untyped(startup, in.readNBytes(startup - Integer.BYTES)));
        while (true) {
            int type = in.readUnsignedByte();
            int length = in.readInt();
            byte[] body = in.readNBytes(length - Integer.BYTES);
            asked.read(type, body);
            pass(postgres, message(type, length, body));
        }
    }

    /** Message by message: one byte of type, four of length (that count themselves), the body. */
    private void answers(InputStream postgres, OutputStream client, AskedStatements asked) throws IOException {
        var in = new DataInputStream(postgres);
        while (true) {
            int type = in.readUnsignedByte();
            int length = in.readInt();
            byte[] body = in.readNBytes(length - Integer.BYTES);
            var cut = armed.get();
            if (type == DATA_ROW && cut != null && cut.statement().test(asked.last())
                    && armed.compareAndSet(cut, null)) {
                lose(in, cut.done());
                return;
            }
            pass(client, message(type, length, body));
        }
    }

    private void pass(OutputStream out, byte[] bytes) throws IOException {
        passable();
        out.write(bytes);
    }

    private static void lose(DataInputStream in, CountDownLatch done) throws IOException {
        int type;
        do {
            type = in.readUnsignedByte();
            in.skipNBytes(in.readInt() - Integer.BYTES);
        } while (type != READY_FOR_QUERY);
        done.countDown();
    }

    private static byte[] message(int type, int length, byte[] body) throws IOException {
        var bytes = new ByteArrayOutputStream(length + 1);
        bytes.write(type);
        bytes.write(untyped(length, body));
        return bytes.toByteArray();
    }

    private static byte[] untyped(int length, byte[] body) throws IOException {
        var bytes = new ByteArrayOutputStream(length);
        var out = new DataOutputStream(bytes);
        out.writeInt(length);
        out.write(body);
        return bytes.toByteArray();
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
        cutAll();
        heal();
    }
}
