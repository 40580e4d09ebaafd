package dev.imagen.backend.landscape;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.PngFile;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IndexedPngTest {

    /** The last one is compressed in another way than the others. */
    @ParameterizedTest
    @CsvSource({"37, 91", "1, 40", "1024, 513"})
    void every_pixel_comes_back_in_its_colour(int width, int height) {
        var random = new Random(1);
        var palette = random.ints(256, 0, 1 << 24).toArray();
        var pixels = new byte[width * height];
        random.nextBytes(pixels);

        var png = IndexedPng.encode(width, height, pixels, palette);

        assertThat(PngFile.read(png).types()).containsExactly("IHDR", "PLTE", "IDAT", "IEND");
        assertThat(PngFile.decode(png).getWidth()).isEqualTo(width);
        assertThat(PngFile.pixels(png)).isEqualTo(
                IntStream.range(0, pixels.length).map(i -> palette[pixels[i] & 0xFF] | 0xFF000000).toArray());
    }

    @Test
    void one_pixel_of_one_colour_is_a_picture() {
        var png = IndexedPng.encode(1, 1, new byte[1], new int[]{0xABCDEF});

        assertThat(PngFile.pixels(png)).containsExactly(0xFFABCDEF);
    }
}
