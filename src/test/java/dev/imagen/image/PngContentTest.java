package dev.imagen.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.sun.management.ThreadMXBean;
import dev.imagen.testing.SampleImages;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PngContentTest {

    private static final long GIBIBYTE = 1L << 30;

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_INT_ARGB, BufferedImage.TYPE_BYTE_GRAY,
            BufferedImage.TYPE_USHORT_GRAY, BufferedImage.TYPE_BYTE_BINARY, BufferedImage.TYPE_BYTE_INDEXED})
    void a_real_png_passes_whatever_its_pixels_are(int type) throws Exception {
        for (int side : new int[]{1, 3, 8, 33}) {
            PngContent.check(SampleImages.encode("png", new BufferedImage(side, 2 * side + 1, type)));
        }
    }

    static Stream<Arguments> sizes() {
        return IntStream.rangeClosed(1, 9).boxed()
                .flatMap(width -> IntStream.rangeClosed(1, 9).mapToObj(height -> Arguments.of(width, height)));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void an_interlaced_png_has_exactly_the_rows_of_its_seven_passes(int width, int height) throws Exception {
        for (int type : new int[]{BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_BYTE_BINARY}) {
            var png = interlaced(new BufferedImage(width, height, type));
            PngContent.check(png);
            var header = PngHeader.read(new Bytes(png));
            assertThat(header.interlaced()).isTrue();
            try (var pixels = new Inflation(Long.MAX_VALUE)) {
                for (var chunk = PngChunks.first(png); !chunk.last(); chunk = chunk.next()) {
                    if (chunk.type().equals("IDAT")) {
                        pixels.add(chunk.data());
                    }
                }
                assertThat(header.imageDataBytes()).isEqualTo(pixels.bytes());
            }
        }
    }

    private static byte[] interlaced(BufferedImage image) throws Exception {
        var writer = ImageIO.getImageWriters(ImageTypeSpecifier.createFromRenderedImage(image), "png").next();
        var parameters = writer.getDefaultWriteParam();
        parameters.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        var out = new ByteArrayOutputStream();
        try (var stream = new MemoryCacheImageOutputStream(out)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), parameters);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    static Stream<Arguments> bombs() {
        var zeros = SampleImages.zeros(GIBIBYTE);
        var texts = IntStream.range(0, 50).mapToObj(_ -> chunk("zTXt", "a\0\0", SampleImages.zeros(100_000)))
                .toArray(byte[][]::new);
        return Stream.of(Arguments.of("pixels", SampleImages.pngOf(8, 8, GIBIBYTE)),
                Arguments.of("zTXt", withChunks(chunk("zTXt", "Comment\0\0", zeros))),
                Arguments.of("iTXt", withChunks(chunk("iTXt", "Comment\0\1\0en\0c\0", zeros))),
                Arguments.of("iCCP", withChunks(chunk("iCCP", "ICC\0\0", zeros))),
                Arguments.of("many texts", withChunks(texts)));
    }

    private static byte[] withChunks(byte[]... chunks) {
        return SampleImages.pngOf(8, 8, 8 * 25, chunks);
    }

    private static byte[] chunk(String type, String head, byte[] tail) {
        var data = new ByteArrayOutputStream();
        data.writeBytes(head.getBytes(StandardCharsets.ISO_8859_1));
        data.writeBytes(tail);
        return PngChunks.chunk(type, data.toByteArray());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bombs")
    void a_bomb_is_refused_without_its_gibibyte(String name, byte[] png) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThatExceptionOfType(InvalidImageException.class).isThrownBy(() -> PngContent.check(png))
                .withMessageContaining(" inflate to more than ").satisfies(e -> assertThat(e.damaged()).isFalse());
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(4 * 1024 * 1024);
    }

    @Test
    void millions_of_empty_chunks_cost_little() {
        var empty = PngChunks.chunk("teXt", new byte[0]);
        var chunks = new ByteArrayOutputStream(empty.length * 2_000_000);
        for (int i = 0; i < 2_000_000; i++) {
            chunks.writeBytes(empty);
        }
        var png = withChunks(chunks.toByteArray());
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> PngContent.check(png));
    }

    @Test
    void texts_and_profiles_of_a_usual_size_pass() throws Exception {
        PngContent.check(withChunks(PngChunks.text("parameters", "a fox"), PngChunks.text("imagen", "лиса"),
                chunk("zTXt", "workflow\0\0", SampleImages.zeros(1_000_000)),
                chunk("iCCP", "ICC\0\0", SampleImages.zeros(500_000)),
                // Broken, but the picture is whole.
                chunk("zTXt", "x\0\0", new byte[]{1, 2, 3}), chunk("iTXt", "no end", new byte[0])));
    }

    static Stream<Arguments> damaged() {
        var png = SampleImages.png(64, 64);
        var changed = png.clone();
        changed[50] ^= 0x55;
        return Stream.of(Arguments.of("cut off", Arrays.copyOf(png, png.length - 13)),
                Arguments.of("too few rows", SampleImages.pngOf(8, 8, 8 * 25 - 1)),
                Arguments.of("a changed byte", changed), Arguments.of("no pixels", PngChunksTest.png("IHDR", "IEND")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("damaged")
    void a_png_of_which_something_is_missing_is_damaged(String name, byte[] png) {
        assertThatExceptionOfType(InvalidImageException.class).isThrownBy(() -> PngContent.check(png))
                .satisfies(e -> assertThat(e.damaged()).isTrue());
    }

    @Test
    void a_file_of_every_length_is_whole_or_damaged() throws Exception {
        var png = SampleImages.png(9, 9);
        for (int length = 33; length < png.length; length++) {
            var cut = Arrays.copyOf(png, length);
            assertThatExceptionOfType(InvalidImageException.class).isThrownBy(() -> PngContent.check(cut));
        }
        PngContent.check(png);
    }
}
