package dev.imagen.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.imagen.testing.PngFile;
import dev.imagen.testing.SampleImages;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ThumbnailTest {

    private static Optional<byte[]> of(byte[] picture) throws InvalidImageException {
        return Thumbnail.of(ImageFile.read(picture), picture);
    }

    @ParameterizedTest
    @CsvSource({"512, 512, 320, 320", "1024, 512, 320, 160", "512, 1024, 160, 320", "64, 48, 64, 48",
            "320, 200, 320, 200", "321, 200, 320, 199", "1, 1, 1, 1", "1, 8192, 1, 320", "8192, 1, 320, 1",
            "8192, 3000, 320, 117", "641, 639, 320, 319"})
    void the_longer_side_is_320_pixels_and_nothing_is_enlarged(int width, int height, int smallWidth, int smallHeight)
            throws Exception {
        for (var picture : new byte[][]{SampleImages.png(width, height), SampleImages.jpeg(width, height)}) {
            var thumbnail = of(picture).orElseThrow();
            assertThat(ImageFile.read(thumbnail)).isEqualTo(new ImageFile(ImageType.JPEG, smallWidth, smallHeight));
            assertThat(PngFile.decode(thumbnail).getWidth()).isEqualTo(smallWidth);
        }
    }

    @Test
    void what_is_to_be_seen_stays_where_it_was_and_behind_what_one_sees_through_is_white() throws Exception {
        var image = new BufferedImage(900, 600, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 450, 300, IntStream.generate(() -> 0xFFC80000).limit(450 * 300).toArray(), 0, 450);
        image.setRGB(450, 300, 450, 300, IntStream.generate(() -> 0x800000C8).limit(450 * 300).toArray(), 0, 450);
        var thumbnail = PngFile.decode(of(SampleImages.encode("png", image)).orElseThrow());
        assertColour(thumbnail.getRGB(80, 53), 200, 0, 0);
        assertColour(thumbnail.getRGB(240, 160), 127, 127, 227);
        assertColour(thumbnail.getRGB(240, 53), 255, 255, 255);
    }

    private static void assertColour(int colour, int red, int green, int blue) {
        assertThat(colour >> 16 & 0xFF).isCloseTo(red, within(12));
        assertThat(colour >> 8 & 0xFF).isCloseTo(green, within(12));
        assertThat(colour & 0xFF).isCloseTo(blue, within(12));
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_USHORT_GRAY, BufferedImage.TYPE_BYTE_INDEXED,
            BufferedImage.TYPE_BYTE_BINARY, BufferedImage.TYPE_4BYTE_ABGR})
    void pngs_of_every_kind_are_made_small(int type) throws Exception {
        assertThat(of(SampleImages.encode("png", new BufferedImage(700, 500, type)))).isPresent();
    }

    @Test
    void even_noise_is_a_small_file() throws Exception {
        var noise = new BufferedImage(1000, 1000, BufferedImage.TYPE_INT_RGB);
        noise.setRGB(0, 0, 1000, 1000, new Random(1).ints(1_000_000).toArray(), 0, 1000);
        assertThat(of(SampleImages.encode("png", noise)).orElseThrow()).hasSizeLessThan(100 * 1024);
    }

    static Stream<Arguments> others() {
        var jpeg = SampleImages.jpeg(400, 400);
        return Stream.of(Arguments.of("WebP", SampleImages.LOSSY_WEBP),
                Arguments.of("animated WebP", SampleImages.ANIMATED_WEBP),
                Arguments.of("a JPEG whose decoder may need a gibibyte", ofSize(jpeg, 60_000, 3_000)),
                Arguments.of("a PNG that ends early", SampleImages.pngOf(512, 512, 1000)),
                Arguments.of("a JPEG without its tables", withoutTables(jpeg)));
    }

    /** The frame of a JPEG says so, with the pixels of another size behind it. */
    private static byte[] ofSize(byte[] jpeg, int width, int height) {
        var changed = jpeg.clone();
        int frame = IntStream.range(0, jpeg.length).filter(at -> jpeg[at] == (byte) 0xFF && jpeg[at + 1] == (byte) 0xC0)
                .findFirst().orElseThrow();
        for (int i = 0; i < 2; i++) {
            changed[frame + 5 + i] = (byte) (height >> 8 - 8 * i);
            changed[frame + 7 + i] = (byte) (width >> 8 - 8 * i);
        }
        return changed;
    }

    private static byte[] withoutTables(byte[] jpeg) {
        var changed = jpeg.clone();
        int tables = IntStream.range(0, jpeg.length)
                .filter(at -> jpeg[at] == (byte) 0xFF && jpeg[at + 1] == (byte) 0xC4).findFirst().orElseThrow();
        Arrays.fill(changed, tables + 4, tables + 40, (byte) 0xFF);
        return changed;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("others")
    void what_java_does_not_decode_has_none(String name, byte[] picture) throws Exception {
        assertThat(of(picture)).isEmpty();
    }
}
