package dev.imagen.image;

import dev.imagen.testing.SampleImages;
import java.nio.ByteBuffer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Bytes that nobody thought of, alone and after the beginning of a picture. */
class AnyBytesTest {

    private static final byte[][] BEGINNINGS = {{}, PngHeader.SIGNATURE, JpegHeader.START, SampleImages.LOSSY_WEBP,
            SampleImages.EXTENDED_WEBP};

    @Property(tries = 2000)
    void bytes_of_any_kind_are_a_picture_or_refused(@ForAll byte[] bytes, @ForAll @IntRange(max = 4) int beginning) {
        var head = BEGINNINGS[beginning];
        ImageFileTest.readOrRefuse(ByteBuffer.allocate(head.length + bytes.length).put(head).put(bytes).array());
    }
}
