package dev.imagen.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Many event streams, read by one thread that makes little garbage and knows when each told something. */
final class OpenStreams implements AutoCloseable {

    private static final byte[] STATUS = "event: status".getBytes(StandardCharsets.US_ASCII);
    /** Connections that are being opened at a time. */
    private static final int AT_ONCE = 100;
    /** In seconds. */
    private static final int PATIENCE = 60;

    private final Selector selector;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
    private final long[] told;
    private final Semaphore arrived = new Semaphore(0);
    private volatile Exception broken;
    private final Thread thread = Thread.ofPlatform().name("streams").unstarted(this::read);

    /** A stream's bytes so far: how many of those that an event begins with. */
    private static final class Stream {

        private final int number;
        private int matched;

        private Stream(int number) {
            this.number = number;
        }
    }

    private OpenStreams(int streams) throws IOException {
        this.selector = Selector.open();
        this.told = new long[streams];
    }

    /** Opens a stream of each path, and waits until each has told how its job stands. */
    static OpenStreams open(int port, List<String> paths) throws IOException, InterruptedException {
        var streams = new OpenStreams(paths.size());
        streams.thread.start();
        for (int i = 0; i < paths.size(); i++) {
            if (i >= AT_ONCE) {
                streams.await(1);
            }
            streams.connect(i, port, paths.get(i));
        }
        streams.await(Math.min(AT_ONCE, paths.size()));
        return streams;
    }

    private void connect(int number, int port, String path) throws IOException {
        var channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port));
        // Closed by a reset, so that no port stays taken for a minute.
        channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        channel.write(ByteBuffer
                .wrap(("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\nAccept: text/event-stream\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII)));
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ, new Stream(number));
        selector.wakeup();
    }

    private void read() {
        try {
            while (selector.isOpen()) {
                selector.select(this::read);
            }
        } catch (IOException | UncheckedIOException e) {
            broken = e;
        }
    }

    private void read(SelectionKey key) {
        var stream = (Stream) key.attachment();
        buffer.clear();
        try {
            if (((SocketChannel) key.channel()).read(buffer) < 0) {
                throw new IOException("a stream ended");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        long now = System.nanoTime();
        for (int i = 0; i < buffer.position(); i++) {
            byte next = buffer.get(i);
            stream.matched = next == STATUS[stream.matched] ? stream.matched + 1 : next == STATUS[0] ? 1 : 0;
            if (stream.matched == STATUS.length) {
                stream.matched = 0;
                told[stream.number] = now;
                arrived.release();
            }
        }
    }

    /** Waits for as many more events of all streams together. */
    void await(int events) throws InterruptedException {
        for (int waited = 0; !arrived.tryAcquire(events, 1, TimeUnit.SECONDS); waited++) {
            if (broken != null || waited == PATIENCE) {
                throw new IllegalStateException(arrived.availablePermits() + " of " + events + " events came", broken);
            }
        }
    }

    /** When this stream told its last event, by System.nanoTime. */
    long told(int number) {
        return told[number];
    }

    @Override
    public void close() throws IOException {
        for (SelectionKey key : selector.keys()) {
            key.channel().close();
        }
        selector.close();
    }
}
