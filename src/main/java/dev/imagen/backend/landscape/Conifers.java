package dev.imagen.backend.landscape;

import java.util.Random;

/** Spruces and firs: as an outline on a ridge, and one by one. */
final class Conifers {

    private Conifers() {}

    /**
     * A ridge with trees on it, here dense, there none.
     *
     * @param tall an ordinary tree's height in pixels
     */
    static Ridge forest(Ridge ground, Scene scene, long seed, float tall) {
        var random = new Random(seed);
        var line = ground.y().clone();
        for (float x = 0; x < line.length; x += tall * 0.2f * (0.5f + random.nextFloat())) {
            float density = Noise.fractal(seed + 90, x / tall / 10, 2);
            float height = tall * Math.min(1, 2.6f * density - 0.6f) * (0.5f + 0.7f * random.nextFloat());
            if (height > 0) {
                raise(line, ground.y(), x, height * scene.detail());
            }
        }
        return new Ridge(line);
    }

    private static void raise(float[] line, float[] ground, float x, float height) {
        float half = Math.max(1, height * 0.2f);
        for (int at = Math.max(0, (int) (x - half)); at <= x + half && at < line.length; at++) {
            float inside = Math.max(0, 1 - Math.abs(at - x) / half);
            line[at] = Math.min(line[at], ground[at] - height * inside);
        }
    }

    /** One tree: tiers of branches that widen downwards, differently on either side, and a bare foot. */
    static void paint(Canvas canvas, long seed, float x, float foot, float height, int colour) {
        float tiers = 11 + 6 * Noise.line(seed, 0.5f);
        for (int y = (int) (foot - height); y < foot; y++) {
            float down = 1 - (foot - y) / height;
            float left = height * reach(seed + 1, down, tiers);
            float right = height * reach(seed + 2, down, tiers);
            canvas.span(y, x - left, x + right, colour, 1);
        }
    }

    /** How far branches reach to one side, as a share of the height, at a share of the height from the top. */
    private static float reach(long seed, float down, float tiers) {
        if (down > 0.95f) {
            return 0.012f;
        }
        float at = down * tiers + 0.7f * Noise.line(seed, down * 9);
        int tier = (int) at;
        float droop = 0.42f + 0.58f * (at - tier);
        float length = 0.65f + 0.55f * Noise.line(seed, tier);
        return 0.006f + 0.145f * down * (1.15f - 0.25f * down) * droop * length;
    }
}
