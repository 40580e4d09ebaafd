package dev.imagen.backend.landscape;

import java.util.Arrays;
import java.util.List;

/** The prompt, small in the lower left corner: at most two lines, and none where the picture has no room. */
final class Caption {

    private static final int FEWEST_COLUMNS = 16;
    private static final int LEAST_HEIGHT = 96;
    private static final float INK = 0.9f;

    /** Green, which weighs most in what eyes take for brightness, 0 to 255. */
    private static final int LIGHT = 110;

    private static final int PIXELS_A_DOT = 640;
    private static final int MARGIN = 8;
    private static final int ADVANCE = PixelFont.WIDTH + 1;
    private static final int LINE_GAP = 3;
    private static final int LINE_HEIGHT = PixelFont.HEIGHT + LINE_GAP;
    private static final int[] ELLIPSIS = {'.', '.', '.'};

    private final Canvas canvas;
    private final Mood mood;

    /** The side of one dot of a glyph, in pixels. */
    private final int dot;

    Caption(Canvas canvas, Mood mood) {
        this.canvas = canvas;
        this.mood = mood;
        dot = Math.max(1, Math.round(Math.min(canvas.width, canvas.height) / (float) PIXELS_A_DOT));
    }

    void paint(String prompt) {
        int columns = (canvas.width / dot - 2 * MARGIN) / ADVANCE;
        if (columns < FEWEST_COLUMNS || canvas.height < LEAST_HEIGHT) {
            return;
        }
        var lines = lines(visible(prompt), columns);
        int y = canvas.height - (MARGIN + lines.size() * LINE_HEIGHT - LINE_GAP) * dot;
        for (var line : lines) {
            for (int i = 0; i < line.length; i++) {
                glyph(line[i], (MARGIN + i * ADVANCE) * dot, y + PixelFont.drop(line[i]) * dot);
            }
            y += LINE_HEIGHT * dot;
        }
    }

    /** One space for any run of blanks and control characters; nothing for what has no width of its own. */
    private static int[] visible(String prompt) {
        return prompt.replaceAll("[\\p{Cf}\\p{Mn}]", "").replaceAll("[\\s\\p{Z}\\p{Cc}]+", " ").strip().codePoints()
                .toArray();
    }

    /** Breaks after a word where one ends in the second half of the line. */
    static List<int[]> lines(int[] text, int columns) {
        if (text.length <= columns) {
            return List.of(text);
        }
        int end = columns;
        while (end > columns / 2 && text[end] != ' ') {
            end--;
        }
        end = text[end] == ' ' ? end : columns;
        int next = text[end] == ' ' ? end + 1 : end;
        return List.of(Arrays.copyOf(text, end), cut(Arrays.copyOfRange(text, next, text.length), columns));
    }

    private static int[] cut(int[] line, int columns) {
        if (line.length <= columns) {
            return line;
        }
        var cut = Arrays.copyOf(line, columns);
        System.arraycopy(ELLIPSIS, 0, cut, columns - ELLIPSIS.length, ELLIPSIS.length);
        return cut;
    }

    private void glyph(int codePoint, int left, int top) {
        int ink = isLight(left, top) ? mood.near : mood.disc;
        for (int y = 0; y < PixelFont.HEIGHT; y++) {
            for (int x = 0; x < PixelFont.WIDTH; x++) {
                if (PixelFont.isSet(codePoint, x, y)) {
                    canvas.blend(left + x * dot, top + y * dot, dot, dot, ink, INK);
                }
            }
        }
    }

    /**
     * Whether a glyph would stand on light ground: glyph by glyph, as a line may cross from the dark bank to the lake.
     */
    private boolean isLight(int left, int top) {
        int green = 0;
        for (int y = 0; y < PixelFont.HEIGHT; y++) {
            for (int x = 0; x < PixelFont.WIDTH; x++) {
                green += canvas.colour(left + x * dot, top + y * dot) >> 8 & 0xFF;
            }
        }
        return green > LIGHT * PixelFont.WIDTH * PixelFont.HEIGHT;
    }
}
