package dev.imagen.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.imagen.testing.SampleImages;
import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ImageFileTest {

    static Stream<Arguments> pictures() {
        return Stream.of(Arguments.of("PNG", SampleImages.png(300, 7), ImageType.PNG, 300, 7),
                Arguments.of("JPEG", SampleImages.jpeg(300, 7), ImageType.JPEG, 300, 7),
                Arguments.of("JPEG of greys",
                        SampleImages.encode("jpg", new BufferedImage(5, 900, BufferedImage.TYPE_BYTE_GRAY)),
                        ImageType.JPEG, 5, 900),
                Arguments.of("lossy WebP", SampleImages.LOSSY_WEBP, ImageType.WEBP, 1, 1),
                Arguments.of("lossless WebP", SampleImages.LOSSLESS_WEBP, ImageType.WEBP, 1, 1),
                Arguments.of("extended WebP", SampleImages.EXTENDED_WEBP, ImageType.WEBP, 1, 1),
                Arguments.of("animated WebP", SampleImages.ANIMATED_WEBP, ImageType.WEBP, 1, 1),
                Arguments.of("large lossy WebP", lossy(16383, 4097), ImageType.WEBP, 16383, 4097),
                Arguments.of("large lossless WebP", lossless(16384, 4097), ImageType.WEBP, 16384, 4097));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pictures")
    void type_and_size_are_read_from_the_bytes(String name, byte[] file, ImageType type, int width, int height)
            throws Exception {
        assertThat(ImageFile.read(file)).isEqualTo(new ImageFile(type, width, height));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pictures")
    void a_file_that_was_cut_off_anywhere_is_never_an_error_of_another_kind(String name, byte[] file) {
        for (int length = 0; length < Math.min(file.length, 700); length++) {
            readOrRefuse(Arrays.copyOf(file, length));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pictures")
    void whatever_byte_is_changed_it_is_never_an_error_of_another_kind(String name, byte[] file) {
        for (int at = 0; at < Math.min(file.length, 700); at++) {
            for (int value : new int[]{0, 1, 0x7F, 0x80, 0xFF}) {
                var changed = file.clone();
                changed[at] = (byte) value;
                readOrRefuse(changed);
            }
        }
    }

    static void readOrRefuse(byte[] bytes) {
        try {
            assertThat(ImageFile.read(bytes).pixels()).isPositive();
        } catch (InvalidImageException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    static Stream<Arguments> damaged() {
        var jpeg = SampleImages.jpeg(64, 64);
        var png = SampleImages.png(64, 64);
        var empty = png.clone();
        Arrays.fill(empty, 16, 20, (byte) 0);
        return Stream.of(Arguments.of(Arrays.copyOf(png, 20), "a damaged PNG: it does not start with its header"),
                Arguments.of(empty, "a damaged PNG: its header says 0×64 pixels"),
                Arguments.of(Arrays.copyOf(jpeg, 10), "a damaged JPEG: it ends at byte 10, before its size"),
                Arguments.of(Arrays.copyOf(jpeg, jpeg.length - 2),
                        "a damaged JPEG: it ends at byte " + (jpeg.length - 2) + " without an end marker"),
                Arguments.of(Arrays.copyOf(SampleImages.LOSSY_WEBP, 40), "a damaged WEBP: it ends at byte 40"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("damaged")
    void a_damaged_picture_may_come_whole_another_time(byte[] file, String message) {
        assertThatExceptionOfType(InvalidImageException.class).isThrownBy(() -> ImageFile.read(file))
                .withMessage(message).satisfies(e -> assertThat(e.damaged()).isTrue());
    }

    @Test
    void a_small_canvas_does_not_hide_a_large_picture() {
        var file = SampleImages.EXTENDED_WEBP.clone();
        file[24] = 9;
        assertThatExceptionOfType(InvalidImageException.class).isThrownBy(() -> ImageFile.read(file))
                .withMessage("a WebP whose picture has another size than its header says")
                .satisfies(e -> assertThat(e.damaged()).isFalse());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            GIF89a..                     | a GIF
            <!DOCTYPE html><title>502    | HTML or XML
            <svg xmlns='x'/>             | HTML or XML
            {"error": "key abc is wrong"}| JSON
            data:image/png;base64,iVBORw | a data: URL
            Internal Server Error        | text
            ....ftypavif                 | an AVIF, HEIF or video
            RIFF....WAVEfmt              | text
            """)
    void what_is_no_picture_is_called_by_its_name_and_not_by_its_words(String text, String called) {
        assertRefused(text.getBytes(StandardCharsets.UTF_8), called);
    }

    @Test
    void nothing_and_unknown_bytes_are_no_pictures() {
        assertRefused(new byte[0], "nothing (0 bytes)");
        assertRefused(new byte[]{1, 2, (byte) 0xFF}, "an unknown kind of file (it begins with 01 02 ff)");
        assertRefused(SampleImages.encode("gif", new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB)), "a GIF");
        assertRefused(SampleImages.encode("bmp", new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB)), "a BMP");
        assertRefused(SampleImages.encode("tiff", new BufferedImage(4, 4, BufferedImage.TYPE_INT_RGB)), "a TIFF");
    }

    private static void assertRefused(byte[] file, String called) {
        assertThatExceptionOfType(InvalidImageException.class).isThrownBy(() -> ImageFile.read(file))
                .withMessage(called + " instead of a picture (PNG, JPEG or WebP)")
                .satisfies(e -> assertThat(e.damaged()).isFalse());
    }

    private static byte[] lossy(int width, int height) {
        var file = SampleImages.LOSSY_WEBP.clone();
        file[26] = (byte) width;
        file[27] = (byte) (width >> 8);
        file[28] = (byte) height;
        file[29] = (byte) (height >> 8);
        return file;
    }

    private static byte[] lossless(int width, int height) {
        var file = SampleImages.LOSSLESS_WEBP.clone();
        int sizes = width - 1 | (height - 1) << 14;
        for (int i = 0; i < 4; i++) {
            file[21 + i] = (byte) (sizes >> 8 * i);
        }
        return file;
    }
}
