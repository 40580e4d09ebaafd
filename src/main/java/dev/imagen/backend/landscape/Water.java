package dev.imagen.backend.landscape;

import java.util.Random;

/** A lake that mirrors what is painted above its shore. */
final class Water {

    private static final int GLINTS = 130;

    private final Canvas canvas;
    private final Scene scene;
    private final float depth;

    Water(Canvas canvas, Scene scene) {
        this.canvas = canvas;
        this.scene = scene;
        depth = scene.height() - scene.shore();
    }

    /** @param reflection the palette index of each palette index' mirror image */
    void paint(byte[] reflection) {
        var waves = new float[scene.width()];
        int offset = (int) (scene.seed(3) & 0xFF);
        for (int y = scene.shore(); y < scene.height(); y++) {
            float near = (y - scene.shore()) / depth;
            // Perspective: waves of one size are closer together, the farther away they are.
            float row = offset + 416 * depth / scene.unit() * (float) StrictMath.log(1 + 4 * near);
            Noise.clouds(waves, offset, (1.8f - near) * 110 / scene.unit(), row);
            mirror(y, waves, scene.unit() * (0.006f + 0.05f * near), reflection);
        }
    }

    private void mirror(int y, float[] waves, float height, byte[] reflection) {
        float level = scene.shore() - 1 - 1.1f * (y - scene.shore());
        for (int x = 0; x < waves.length; x++) {
            int row = (int) (level + (waves[x] - 0.5f) * height + Canvas.threshold(x, y));
            int from = Math.clamp(row, 0, scene.shore() - 1) * scene.width() + x;
            canvas.pixels[y * scene.width() + x] = reflection[canvas.pixels[from] & 0xFF];
        }
    }

    /** Strokes of light on the waves. */
    void glitter(float lightX) {
        var random = new Random(scene.seed(4));
        int count = Math.round(GLINTS * scene.detail());
        for (int i = 0; i < count; i++) {
            float near = random.nextFloat() * random.nextFloat();
            int y = scene.shore() + 1 + (int) (near * depth);
            float x = lightX + (float) random.nextGaussian() * scene.unit() * (0.015f + 0.06f * near);
            float half = scene.unit() * (0.0015f + 0.012f * near) * (0.3f + random.nextFloat());
            canvas.span(y, x - half, x + half, scene.mood().disc, 0.10f + 0.35f * random.nextFloat());
        }
    }
}
