package dev.imagen.backend.landscape;

import java.util.Arrays;

/**
 * The line where something begins, column by column.
 *
 * @param y pixels from the top; may lie outside the picture
 */
record Ridge(float[] y) {

    static Ridge level(int width, float y) {
        var line = new float[width];
        Arrays.fill(line, y);
        return new Ridge(line);
    }

    /**
     * Mountains and hills.
     *
     * @param roundness 0 for crests, 1 for rolling hills
     * @param base about where valleys lie, in pixels from the top
     * @param tall about how far summits stand above them, in pixels
     * @param hills how many of them lie along one {@link Scene#unit}
     */
    static Ridge of(Scene scene, long seed, float roundness, float base, float tall, float hills) {
        float octaves = 1.5f + 6.5f * scene.detail();
        var line = new float[scene.width()];
        for (int x = 0; x < line.length; x++) {
            float at = x * hills / scene.unit();
            float sharp = Noise.ridged(seed, at, octaves);
            float rolling = Noise.fractal(seed + 50, at, Math.min(octaves, 4));
            line[x] = base - tall * (sharp + (rolling - sharp) * roundness - 0.35f);
        }
        return new Ridge(line);
    }

    /** How steeply the line rises to the right, column by column: from -1, steeply down, to 1. */
    float[] slopes(int reach) {
        int last = y.length - 1;
        var slopes = new float[y.length];
        for (int x = 0; x <= last; x++) {
            float rise = y[Math.max(0, x - reach)] - y[Math.min(last, x + reach)];
            slopes[x] = Math.max(-1, Math.min(1, rise / (2 * reach)));
        }
        return slopes;
    }

    /** The first row that anything of the line lies in, cut to the picture. */
    int firstRow() {
        float least = y[0];
        for (float each : y) {
            least = Math.min(least, each);
        }
        return Math.max(0, (int) least);
    }

    /** The first row that lies below all of the line. */
    int below() {
        float most = y[0];
        for (float each : y) {
            most = Math.max(most, each);
        }
        return Math.max(0, (int) most + 2);
    }
}
