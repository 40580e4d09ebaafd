package dev.imagen.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.stream.Stream;

/**
 * An encoded picture as it is stored: parts that follow each other, so that nothing is copied where something was put
 * between its bytes. The parts are the arrays that were given; nobody changes them any more.
 */
public final class ImageBytes {

    /** Each from its position to its limit; never moved, as several may read at once. */
    private final ByteBuffer[] parts;

    private ImageBytes(ByteBuffer... parts) {
        this.parts = parts;
    }

    /** One part. */
    public static ImageBytes of(byte[] bytes) {
        return new ImageBytes(ByteBuffer.wrap(bytes));
    }

    /** These bytes with others before the one at this place. */
    static ImageBytes inserted(byte[] bytes, int at, Stream<byte[]> others) {
        var before = ByteBuffer.wrap(bytes, 0, at);
        var after = ByteBuffer.wrap(bytes, at, bytes.length - at);
        return new ImageBytes(Stream.of(Stream.of(before), others.map(ByteBuffer::wrap), Stream.of(after))
                .flatMap(part -> part).toArray(ByteBuffer[]::new));
    }

    /** Of all parts. */
    public long length() {
        return Stream.of(parts).mapToLong(ByteBuffer::remaining).sum();
    }

    /**
     * Of all parts, 32 bytes; reckoned anew by each call. Not while they are written: piece by piece, both together
     * take longer than one after the other.
     */
    public byte[] sha256() {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            for (ByteBuffer part : readable()) {
                digest.update(part);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Writes all parts, in their order. */
    public void writeTo(GatheringByteChannel channel) throws IOException {
        var rest = readable();
        for (long left = length(); left > 0;) {
            left -= channel.write(rest);
        }
    }

    /** In one array, for clients that take nothing else: a copy where there are several parts, otherwise the part. */
    public byte[] joined() {
        if (parts.length == 1) {
            return parts[0].array();
        }
        var joined = ByteBuffer.allocate(Math.toIntExact(length()));
        for (ByteBuffer part : readable()) {
            joined.put(part);
        }
        return joined.array();
    }

    private ByteBuffer[] readable() {
        return Stream.of(parts).map(ByteBuffer::duplicate).toArray(ByteBuffer[]::new);
    }
}
