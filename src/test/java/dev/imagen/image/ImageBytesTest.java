package dev.imagen.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.security.MessageDigest;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ImageBytesTest {

    private static final byte[] ARRAY = {1, 2, 3, 4, 5, 6, 7, 8};

    private static ImageBytes inParts() {
        return ImageBytes.inserted(ARRAY, 3, Stream.of(new byte[]{20, 21}, new byte[0], new byte[]{22}));
    }

    private static final byte[] WHOLE = {1, 2, 3, 20, 21, 22, 4, 5, 6, 7, 8};

    /** Takes as little at once as a channel may. */
    private static final class Reluctant implements GatheringByteChannel {

        private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
        private final Random random = new Random(1);

        @Override
        public long write(ByteBuffer[] parts) {
            return Stream.of(parts).filter(ByteBuffer::hasRemaining).findFirst().map(this::write).orElse(0);
        }

        @Override
        public int write(ByteBuffer part) {
            int some = random.nextInt(Math.min(3, part.remaining() + 1));
            for (int i = 0; i < some; i++) {
                taken.write(part.get());
            }
            return some;
        }

        @Override
        public long write(ByteBuffer[] parts, int from, int length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    @Test
    void all_parts_are_written_in_their_order_however_little_a_channel_takes() throws Exception {
        var channel = new Reluctant();
        inParts().writeTo(channel);
        assertThat(channel.taken.toByteArray()).isEqualTo(WHOLE);
    }

    @Test
    void length_hash_and_array_are_those_of_all_parts() throws Exception {
        assertThat(inParts().length()).isEqualTo(WHOLE.length);
        assertThat(inParts().joined()).isEqualTo(WHOLE);
        assertThat(inParts().sha256()).isEqualTo(MessageDigest.getInstance("SHA-256").digest(WHOLE));
    }

    @Test
    void it_may_be_read_any_number_of_times() throws Exception {
        var bytes = inParts();
        for (int i = 0; i < 2; i++) {
            var channel = new Reluctant();
            bytes.writeTo(channel);
            assertThat(channel.taken.toByteArray()).isEqualTo(WHOLE).isEqualTo(bytes.joined());
            assertThat(bytes.sha256()).isEqualTo(ImageBytes.of(WHOLE).sha256());
        }
    }

    @Test
    void one_array_stays_that_array() throws Exception {
        assertThat(ImageBytes.of(ARRAY).joined()).isSameAs(ARRAY);
        assertThat(ImageBytes.of(ARRAY).length()).isEqualTo(ARRAY.length);
        var nothing = new Reluctant();
        ImageBytes.of(new byte[0]).writeTo(nothing);
        assertThat(nothing.taken.size()).isZero();
    }
}
