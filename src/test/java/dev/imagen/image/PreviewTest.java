package dev.imagen.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.imagen.testing.PngFile;
import dev.imagen.testing.SampleImages;
import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PreviewTest {

    private static BufferedImage image(int width, int height, int type) {
        return new BufferedImage(width, height, type);
    }

    /** What compresses worst. */
    private static BufferedImage noise(int width, int height) {
        var image = image(width, height, BufferedImage.TYPE_INT_RGB);
        var random = new Random(1);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, random.nextInt());
            }
        }
        return image;
    }

    private static BufferedImage decoded(byte[] preview) throws InvalidImageException {
        assertThat(ImageFile.read(preview).type()).isEqualTo(ImageType.JPEG);
        return PngFile.decode(preview);
    }

    @ParameterizedTest
    @CsvSource({"512, 512, 256, 256", "1024, 512, 256, 128", "300, 900, 85, 256", "64, 48, 64, 48", "1, 1, 1, 1",
            "2100, 2100, 256, 256", "3000, 1, 256, 1", "257, 255, 256, 254"})
    void a_png_becomes_a_jpeg_of_at_most_256_pixels_a_side(int width, int height, int smallWidth, int smallHeight)
            throws Exception {
        var preview = Preview.of(SampleImages.png(width, height)).orElseThrow();
        assertThat(ImageFile.read(preview)).isEqualTo(new ImageFile(ImageType.JPEG, smallWidth, smallHeight));
        assertThat(decoded(preview).getWidth()).isEqualTo(smallWidth);
    }

    @Test
    void a_small_jpeg_stays_as_it_is() {
        var jpeg = SampleImages.jpeg(512, 512);
        assertThat(Preview.of(jpeg)).containsSame(jpeg);
    }

    @Test
    void a_jpeg_of_too_many_bytes_is_made_small() throws Exception {
        var jpeg = SampleImages.encode("jpg", noise(600, 400));
        assertThat(jpeg).hasSizeGreaterThan(Preview.MOST_BYTES);
        var preview = Preview.of(jpeg).orElseThrow();
        assertThat(ImageFile.read(preview)).isEqualTo(new ImageFile(ImageType.JPEG, 256, 171));
        assertThat(preview).hasSizeLessThanOrEqualTo(Preview.MOST_BYTES);
    }

    /** A browser would need a gigabyte for 64 KiB of the same grey. */
    @Test
    void a_jpeg_of_few_bytes_and_too_many_pixels_is_made_small() throws Exception {
        var jpeg = SampleImages.encode("jpg", image(3000, 3000, BufferedImage.TYPE_BYTE_GRAY));
        assertThat(ImageFile.read(Preview.of(jpeg).orElseThrow()).pixels()).isEqualTo(256 * 256);
    }

    @Test
    void even_noise_becomes_small_enough() {
        var preview = Preview.of(SampleImages.encode("png", noise(256, 256))).orElseThrow();
        assertThat(preview).hasSizeLessThanOrEqualTo(Preview.MOST_BYTES);
    }

    @ParameterizedTest
    @CsvSource({"1000, 700", "512, 512", "90, 60"})
    void what_is_to_be_seen_stays_where_it_was(int width, int height) throws Exception {
        var image = image(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, (x < width / 2 ? 200 << 16 : 0) | (y < height / 2 ? 200 : 0));
            }
        }
        var preview = decoded(Preview.of(SampleImages.encode("png", image)).orElseThrow());
        assertColour(preview, 0.25, 0.25, 200, 200);
        assertColour(preview, 0.75, 0.25, 0, 200);
        assertColour(preview, 0.25, 0.75, 200, 0);
        assertColour(preview, 0.75, 0.75, 0, 0);
    }

    private static void assertColour(BufferedImage image, double x, double y, int red, int blue) {
        int colour = image.getRGB((int) (x * image.getWidth()), (int) (y * image.getHeight()));
        assertThat(colour >> 16 & 0xFF).isCloseTo(red, within(12));
        assertThat(colour & 0xFF).isCloseTo(blue, within(12));
    }

    @Test
    void behind_what_one_sees_through_is_white() throws Exception {
        var clear = SampleImages.encode("png", image(300, 300, BufferedImage.TYPE_INT_ARGB));
        assertThat(decoded(Preview.of(clear).orElseThrow()).getRGB(100, 100) & 0xFF).isGreaterThan(250);
    }

    static Stream<Arguments> kinds() {
        return Stream
                .of(BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_USHORT_GRAY, BufferedImage.TYPE_BYTE_INDEXED,
                        BufferedImage.TYPE_BYTE_BINARY, BufferedImage.TYPE_4BYTE_ABGR)
                .map(type -> Arguments.of(SampleImages.encode("png", image(700, 500, type))));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void pngs_of_every_kind_are_read(byte[] png) {
        assertThat(Preview.of(png)).isPresent();
    }

    static Stream<Arguments> unreadable() {
        var jpeg = SampleImages.encode("jpg", noise(400, 400));
        return Stream.of(Arguments.of("nothing", new byte[0]),
                Arguments.of("no picture", "hello".getBytes(StandardCharsets.US_ASCII)),
                Arguments.of("WebP", SampleImages.LOSSY_WEBP),
                Arguments.of("animated WebP", SampleImages.ANIMATED_WEBP),
                Arguments.of("more bytes than the limit", Arrays.copyOf(jpeg, Preview.MOST_SENT + 1)),
                Arguments.of("more pixels than the limit", SampleImages.pngOf(30_000, 30_000, 1000)),
                Arguments.of("a bomb", SampleImages.pngOf(512, 512, 64L * 1024 * 1024)),
                Arguments.of("a PNG that ends early", SampleImages.pngOf(512, 512, 1000)),
                Arguments.of("a JPEG without its end", Arrays.copyOf(jpeg, 5000)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unreadable")
    void what_is_too_large_or_cannot_be_read_is_no_preview(String name, byte[] picture) {
        assertThat(Preview.of(picture)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("damaged")
    void whatever_byte_is_changed_there_is_a_preview_or_none_and_never_an_error(byte[] picture) {
        for (int at = 0; at < Math.min(picture.length, 200); at += 3) {
            for (int value : new int[]{0, 0xFF}) {
                var changed = picture.clone();
                changed[at] = (byte) value;
                assertThat(Preview.of(changed)).isNotNull();
            }
        }
    }

    static Stream<Arguments> damaged() {
        return Stream.of(Arguments.of(SampleImages.png(50, 50)),
                Arguments.of(SampleImages.encode("jpg", noise(330, 330))));
    }
}
