package dev.imagen.backend.landscape;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.PngFile;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class IndexedPngTest {

    @Test
    void every_pixel_comes_back_in_its_colour() {
        var random = new Random(1);
        var palette = random.ints(256, 0, 1 << 24).toArray();
        var pixels = new byte[37 * 91];
        random.nextBytes(pixels);

        var png = IndexedPng.encode(37, 91, pixels, palette);

        assertThat(PngFile.read(png).types()).containsExactly("IHDR", "PLTE", "IDAT", "IEND");
        assertThat(PngFile.decode(png).getWidth()).isEqualTo(37);
        assertThat(PngFile.pixels(png)).isEqualTo(
                IntStream.range(0, pixels.length).map(i -> palette[pixels[i] & 0xFF] | 0xFF000000).toArray());
    }

    @Test
    void one_pixel_of_one_colour_is_a_picture() {
        var png = IndexedPng.encode(1, 1, new byte[1], new int[]{0xABCDEF});

        assertThat(PngFile.pixels(png)).containsExactly(0xFFABCDEF);
    }
}
