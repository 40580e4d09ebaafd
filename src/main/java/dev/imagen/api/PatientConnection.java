package dev.imagen.api;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.ServerConnectionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;

/** One connection, read and written by one virtual thread; all but that is the server's own. */
final class PatientConnection implements ConnectionContext {

    /** Longer than proxies and clients keep a connection that they may use again, most of them 60 s. */
    private static final Duration BETWEEN_REQUESTS = Duration.ofSeconds(75);

    /**
     * The same where the server stops: for a client that sent its next request before it had read that it should not.
     */
    private static final Duration BEFORE_THE_END = Duration.ofSeconds(1);

    /** A body of the longest length but a picture's in chunks of one byte each, and the headers. */
    private static final long MOST_BYTES = 2 * 1024 * 1024;

    /** How a request that may be longer begins. */
    private static final String PICTURE = "POST " + Framing.PICTURES;

    /** What a client has to take within its time. */
    private static final int PIECE = 64 * 1024;

    private final ConnectionContext server;
    private final Duration patience;
    private final long mostBytes;
    private final Draining draining;
    private final DataReader reader = new DataReader(this::read);
    private final DataWriter writer = new Pieces();

    /** Whether an answer was written since something was read: what comes next is another request. */
    private boolean answered;
    private long requestBegan = System.nanoTime();
    private long requestBytes;
    private long most = MOST_BYTES;

    /** @param mostBytes of a request with a picture, headers included */
    PatientConnection(ConnectionContext server, Duration patience, long mostBytes, Draining draining) {
        this.server = server;
        this.patience = patience;
        this.mostBytes = mostBytes;
        this.draining = draining;
    }

    /** @return what came; null at the end */
    private byte[] read() {
        var limit = answered ? betweenRequests() : patience.minusNanos(System.nanoTime() - requestBegan);
        byte[] read = read(limit);
        if (answered) {
            answered = false;
            requestBegan = System.nanoTime();
            requestBytes = 0;
        }
        if (requestBytes == 0 && read != null) {
            most = new String(read, 0, Math.min(read.length, PICTURE.length()), StandardCharsets.US_ASCII)
                    .equals(PICTURE) ? mostBytes : MOST_BYTES;
        }
        requestBytes += read == null ? 0 : read.length;
        if (requestBytes > most) {
            throw new ServerConnectionException("a request does not end", new IOException("too many bytes"));
        }
        return read;
    }

    private Duration betweenRequests() {
        return draining.begun() ? BEFORE_THE_END : BETWEEN_REQUESTS;
    }

    private byte[] read(Duration limit) {
        if (server.dataReader().available() > 0) {
            // Where there are several protocols to choose from, the server looked at the beginning.
            return server.dataReader().readBytes(server.dataReader().available());
        }
        var read = new byte[1][];
        try {
            if (limit.isPositive() && TimeLimit.within(limit, () -> read[0] = server.serverSocket().get())) {
                return read[0];
            }
        } catch (UncheckedIOException e) {
            throw new ServerConnectionException("the client went away", e);
        }
        throw new ServerConnectionException("the client is too slow", new SocketTimeoutException());
    }

    private void write(BufferData piece) {
        answered = true;
        if (!TimeLimit.within(patience, () -> server.dataWriter().writeNow(piece))) {
            throw new ServerConnectionException("the client takes nothing", new SocketTimeoutException());
        }
    }

    /** Cuts what is long: its time is that of a piece, not of the whole. */
    private final class Pieces implements DataWriter {

        @Override
        public void write(BufferData... buffers) {
            for (BufferData buffer : buffers) {
                write(buffer);
            }
        }

        @Override
        public void write(BufferData buffer) {
            if (buffer.available() <= PIECE) {
                PatientConnection.this.write(buffer);
                return;
            }
            while (buffer.available() > 0) {
                var piece = new byte[Math.min(PIECE, buffer.available())];
                int length = buffer.read(piece);
                PatientConnection.this.write(BufferData.create(piece, 0, length));
            }
        }

        @Override
        public void writeNow(BufferData... buffers) {
            write(buffers);
        }

        @Override
        public void writeNow(BufferData buffer) {
            write(buffer);
        }
    }

    @Override
    public DataReader dataReader() {
        return reader;
    }

    @Override
    public DataWriter dataWriter() {
        return writer;
    }

    @Override
    public ListenerContext listenerContext() {
        return server.listenerContext();
    }

    @Override
    public ExecutorService executor() {
        return server.executor();
    }

    @Override
    public Router router() {
        return server.router();
    }

    @Override
    public Optional<ProxyProtocolData> proxyProtocolData() {
        return server.proxyProtocolData();
    }

    @Override
    public HelidonSocket serverSocket() {
        return server.serverSocket();
    }

    @Override
    public PeerInfo remotePeer() {
        return server.remotePeer();
    }

    @Override
    public PeerInfo localPeer() {
        return server.localPeer();
    }

    @Override
    public boolean isSecure() {
        return server.isSecure();
    }

    @Override
    public String socketId() {
        return server.socketId();
    }

    @Override
    public String childSocketId() {
        return server.childSocketId();
    }
}
