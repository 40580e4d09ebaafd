package dev.imagen.testing;

import dev.imagen.config.Login;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
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

/**
 * Stands between a pool and PostgreSQL and can lose an answer: the server has done all the work and committed, and the
 * client sees its connection break before it has read the result.
 */
public final class CuttingProxy implements AutoCloseable {

    private static final int DATA_ROW = 'D';
    private static final int READY_FOR_QUERY = 'Z';

    private final Login server;
    private final URI target;
    private final ServerSocket listening;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicReference<CountDownLatch> armed = new AtomicReference<>();

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
        var done = new CountDownLatch(1);
        armed.set(done);
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

    private void acceptUntilClosed() {
        while (!listening.isClosed()) {
            try {
                connect(listening.accept());
            } catch (IOException e) {
                // The proxy was closed, or the server is down: the client sees its connection end.
            }
        }
    }

    private void connect(Socket client) throws IOException {
        sockets.add(client);
        try {
            var postgres = new Socket(target.getHost(), target.getPort());
            sockets.add(postgres);
            client.setTcpNoDelay(true);
            postgres.setTcpNoDelay(true);
            pump(client, postgres, () -> client.getInputStream().transferTo(postgres.getOutputStream()));
            pump(client, postgres, () -> answers(postgres, client));
        } catch (IOException e) {
            close(client);
            throw e;
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

    /** Message by message: one byte of type, four of length (that count themselves), the body. */
    private void answers(Socket postgres, Socket client) throws IOException {
        var in = new DataInputStream(postgres.getInputStream());
        var out = client.getOutputStream();
        while (true) {
            int type = in.readUnsignedByte();
            int length = in.readInt();
            byte[] body = in.readNBytes(length - Integer.BYTES);
            if (type == DATA_ROW && armed.get() != null) {
                var done = armed.getAndSet(null);
                if (done != null) {
                    lose(in, done);
                    return;
                }
            }
            out.write(message(type, length, body));
        }
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
        var out = new DataOutputStream(bytes);
        out.writeByte(type);
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
    }
}
