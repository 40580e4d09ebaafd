package dev.imagen.backend.landscape;

/**
 * Value noise that is the same on every machine: hashing, then arithmetic that Java defines to the last bit
 * ({@code Math.sin} and its kin may differ between processors).
 */
final class Noise {

    private static final int TILE = 256;
    private static final int MASK = TILE - 1;

    /** Every eighth value comes from the tile, the others lie on a line between: much quicker, and no eye sees it. */
    private static final int STRIDE = 8;

    private static final byte[] CLOUDS = clouds();

    private Noise() {}

    /** A well-mixed number for any other: SplitMix64's finalizer. */
    static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }

    private static float lattice(long seed, int x) {
        return (mix(seed + x * 0x632BE59BD9B4E019L) >>> 40) * 0x1p-24f;
    }

    /** Smooth noise along a line, 0 to 1. */
    static float line(long seed, float x) {
        int cell = (int) Math.floor(x);
        float from = lattice(seed, cell);
        return from + (lattice(seed, cell + 1) - from) * smooth(x - cell);
    }

    /**
     * Octaves of {@link #line}, each half as wide and half as high as the one before.
     *
     * @param octaves a fraction lets the last one in with that weight
     * @return 0 to 1, mostly around the middle
     */
    static float fractal(long seed, float x, float octaves) {
        float sum = 0;
        float height = 0.5f;
        for (int i = 0; i < octaves; i++) {
            float weight = Math.min(1, octaves - i);
            sum += (line(seed + i, x * (1 << i)) - 0.5f) * height * weight;
            height /= 2;
        }
        return sum + 0.5f;
    }

    /** As {@link #fractal}, with sharp crests: folded at the middle of each octave. */
    static float ridged(long seed, float x, float octaves) {
        float sum = 0;
        float height = 0.5f;
        for (int i = 0; i < octaves; i++) {
            float weight = Math.min(1, octaves - i);
            float fold = 1 - Math.abs(2 * line(seed + i, x * (1 << i)) - 1);
            sum += (fold * fold - 0.5f) * height * weight;
            height *= 0.47f;
        }
        return sum + 0.5f;
    }

    /**
     * Cloudy noise over a plane, 0 to 1, along one row; repeats every 256 in each direction.
     *
     * @param row to fill
     * @param x of the first value, 0 or more
     * @param step between values
     * @param y of the row, 0 or more
     */
    static void clouds(float[] row, float x, float step, float y) {
        float left = cloud(x, y);
        for (int from = 0; from < row.length; from += STRIDE) {
            float right = cloud(x + (from + STRIDE) * step, y);
            float rise = (right - left) / STRIDE;
            int end = Math.min(row.length, from + STRIDE);
            for (int i = from; i < end; i++) {
                row[i] = left + rise * (i - from);
            }
            left = right;
        }
    }

    private static float cloud(float x, float y) {
        int left = (int) x;
        int top = (int) y;
        int row = (top & MASK) * TILE;
        int next = (top + 1 & MASK) * TILE;
        int column = left & MASK;
        int right = left + 1 & MASK;
        float upper = between(CLOUDS[row + column], CLOUDS[row + right], x - left);
        float lower = between(CLOUDS[next + column], CLOUDS[next + right], x - left);
        return between(upper, lower, y - top) / 254 + 0.5f;
    }

    /** The tile, -127 to 127. */
    private static byte[] clouds() {
        var sums = new float[TILE * TILE];
        float height = 0.9f;
        for (int cells = 8; cells <= 128; cells *= 2) {
            addOctave(sums, cells, height);
            height /= 2;
        }
        var tile = new byte[TILE * TILE];
        for (int i = 0; i < tile.length; i++) {
            tile[i] = (byte) Math.round(Math.clamp(sums[i], -0.5f, 0.5f) * 254);
        }
        return tile;
    }

    private static void addOctave(float[] sums, int cells, float height) {
        var corners = corners(cells);
        for (int y = 0; y < TILE; y++) {
            int top = y * cells / TILE;
            int next = (top + 1) % cells;
            float down = smooth(y * cells / (float) TILE - top);
            for (int x = 0; x < TILE; x++) {
                int left = x * cells / TILE;
                int right = (left + 1) % cells;
                float across = smooth(x * cells / (float) TILE - left);
                float upper = between(corners[top * cells + left], corners[top * cells + right], across);
                float lower = between(corners[next * cells + left], corners[next * cells + right], across);
                sums[y * TILE + x] += (between(upper, lower, down) - 0.5f) * height;
            }
        }
    }

    private static float[] corners(int cells) {
        var corners = new float[cells * cells];
        for (int i = 0; i < corners.length; i++) {
            corners[i] = lattice(cells * 7919L + i / cells, i % cells);
        }
        return corners;
    }

    private static float between(float from, float to, float share) {
        return from + (to - from) * share;
    }

    /** 0 to 1 with a soft start and end; what lies outside is cut off. */
    static float smooth(float t) {
        if (t <= 0) {
            return 0;
        }
        return t >= 1 ? 1 : t * t * (3 - 2 * t);
    }
}
