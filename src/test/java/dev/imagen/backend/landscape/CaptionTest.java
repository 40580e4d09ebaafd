package dev.imagen.backend.landscape;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class CaptionTest {

    @Test
    void a_short_text_is_one_line() {
        assertThat(lines("a quiet lake", 12)).containsExactly("a quiet lake");
    }

    @Test
    void a_longer_text_breaks_between_words() {
        assertThat(lines("a quiet lake at dawn", 12)).containsExactly("a quiet lake", "at dawn");
        assertThat(lines("a quiet lake at dawn", 15)).containsExactly("a quiet lake at", "dawn");
        assertThat(lines("a quiet lake at dawn", 14)).containsExactly("a quiet lake", "at dawn");
    }

    @Test
    void a_word_longer_than_the_line_breaks_anywhere() {
        assertThat(lines("abcdefghijklmnop", 10)).containsExactly("abcdefghij", "klmnop");
    }

    @Test
    void what_does_not_fit_into_two_lines_ends_in_dots() {
        assertThat(lines("one two three four five six seven", 12)).containsExactly("one two", "three fou...");
    }

    @Test
    void a_character_outside_the_basic_plane_takes_one_place() {
        assertThat(lines("🌄🌄🌄🌄🌄🌄", 6)).containsExactly("🌄🌄🌄🌄🌄🌄");
    }

    @Test
    void a_caption_stays_in_the_lower_left_corner() {
        var canvas = new Canvas(200, 120);
        canvas.palette.add(0x202020, Mood.DAY.disc);

        new Caption(canvas, Mood.DAY).paint("\n a \t lake ");

        for (int y = 0; y < 120; y++) {
            for (int x = 0; x < 200; x++) {
                if (canvas.pixels[y * 200 + x] != 0) {
                    assertThat(x).isBetween(8, 8 + 6 * 6);
                    assertThat(y).isBetween(100, 112);
                }
            }
        }
        assertThat(canvas.pixels).contains((byte) 1);
    }

    @Test
    void a_small_picture_has_no_caption() {
        for (var canvas : List.of(new Canvas(90, 200), new Canvas(200, 90))) {
            canvas.palette.add(0x202020, Mood.DAY.disc);
            new Caption(canvas, Mood.DAY).paint("a lake");
            assertThat(canvas.pixels).containsOnly(0);
        }
    }

    @Test
    void each_printable_character_has_its_own_glyph_and_all_others_share_one() {
        var glyphs = new HashSet<String>();
        for (int codePoint = ' '; codePoint <= '~'; codePoint++) {
            glyphs.add(glyph(codePoint));
        }

        assertThat(glyphs).hasSize(95).doesNotContain(glyph(0x1F304));
        assertThat(glyph(0x7F)).isEqualTo(glyph(0x1F304)).isEqualTo(glyph('\n')).isEqualTo(glyph('é'));
    }

    private static String glyph(int codePoint) {
        var dots = new StringBuilder();
        for (int y = 0; y < PixelFont.HEIGHT; y++) {
            for (int x = 0; x < PixelFont.WIDTH; x++) {
                dots.append(PixelFont.isSet(codePoint, x, y) ? '#' : '.');
            }
        }
        return dots.toString();
    }

    private static List<String> lines(String text, int columns) {
        return Caption.lines(text.codePoints().toArray(), columns).stream()
                .map(line -> new String(line, 0, line.length)).toList();
    }
}
