package dev.imagen.backend.landscape;

/** A picture while it is painted: one palette index a pixel, row after row from the top. */
final class Canvas {

    private static final int TILE = 64;

    /** Thresholds that spread evenly over any small neighbourhood: a ramp's steps melt together instead of banding. */
    private static final float[] DITHER = interleavedGradient();

    final int width;
    final int height;
    final Palette palette = new Palette();
    final byte[] pixels;

    Canvas(int width, int height) {
        this.width = width;
        this.height = height;
        pixels = new byte[width * height];
    }

    private static float[] interleavedGradient() {
        var thresholds = new float[TILE * TILE];
        for (int i = 0; i < thresholds.length; i++) {
            double inner = 0.06711056 * (i % TILE) + 0.00583715 * (i / TILE);
            double outer = 52.9829189 * (inner - Math.floor(inner));
            thresholds[i] = (float) (outer - Math.floor(outer));
        }
        return thresholds;
    }

    /** @param tone 0 to 1, the place in the ramp; what lies outside is cut off */
    void put(int x, int y, Palette.Ramp ramp, float tone) {
        int last = ramp.entries() - 1;
        int place = (int) (tone * last + threshold(x, y));
        pixels[y * width + x] = (byte) (ramp.first() + Math.clamp(place, 0, last));
    }

    /** 0 to 1. */
    static float threshold(int x, int y) {
        return DITHER[(y & TILE - 1) * TILE + (x & TILE - 1)];
    }

    int colour(int x, int y) {
        return palette.colour(pixels[y * width + x] & 0xFF);
    }

    /**
     * Lays a colour over what is there. Outside the picture nothing happens.
     *
     * @param share of the new colour; 0 or less: none, 1 or more: nothing else
     */
    void blend(int x, int y, int colour, float share) {
        if (x >= 0 && y >= 0 && x < width && y < height && share > 0) {
            int mixed = Palette.mix(colour(x, y), colour, Math.min(share, 1));
            pixels[y * width + x] = (byte) palette.nearest(mixed);
        }
    }

    /** As {@link #blend(int, int, int, float)}, for all pixels of a rectangle. */
    void blend(int left, int top, int columns, int rows, int colour, float share) {
        for (int y = top; y < top + rows; y++) {
            for (int x = left; x < left + columns; x++) {
                blend(x, y, colour, share);
            }
        }
    }

    /** A horizontal stroke one pixel high; the pixels at its ends are covered in part. */
    void span(int y, float left, float right, int colour, float share) {
        for (int x = (int) Math.floor(left); x < right; x++) {
            blend(x, y, colour, share * (Math.min(x + 1, right) - Math.max(x, left)));
        }
    }

    /** A column from a height down to the picture's edge; its first pixel is covered in part. */
    void fillBelow(int x, float top, int colour) {
        int first = (int) Math.floor(top);
        blend(x, first, colour, first + 1 - top);
        byte index = (byte) palette.nearest(colour);
        for (int y = Math.max(0, first + 1); y < height; y++) {
            pixels[y * width + x] = index;
        }
    }
}
