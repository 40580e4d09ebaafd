package dev.imagen.image;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * How large compressed data is. It is inflated into a small buffer and thrown away, and no further than the limit: a
 * bomb costs neither memory nor time.
 */
final class Inflation implements AutoCloseable {

    private static final int BUFFER = 16 * 1024;

    private final Inflater inflater = new Inflater();
    private final byte[] buffer = new byte[BUFFER];
    private final long limit;
    private long bytes;

    /** @param limit bytes after which nothing more is inflated */
    Inflation(long limit) {
        this.limit = limit;
    }

    /** The next part of the data. @throws DataFormatException when it is no such data */
    void add(ByteBuffer part) throws DataFormatException {
        inflater.setInput(part);
        while (!inflater.finished() && !inflater.needsInput() && !exceeded()) {
            int more = inflater.inflate(buffer);
            if (more == 0 && inflater.needsDictionary()) {
                throw new DataFormatException("it needs a dictionary");
            }
            bytes += more;
        }
    }

    /** What is added next are other data; both count. */
    void restart() {
        inflater.reset();
    }

    /** How many bytes came of it so far. */
    long bytes() {
        return bytes;
    }

    /** Whether they are more than the limit. */
    boolean exceeded() {
        return bytes > limit;
    }

    @Override
    public void close() {
        inflater.end();
    }
}
