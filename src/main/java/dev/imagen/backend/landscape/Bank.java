package dev.imagen.backend.landscape;

import java.util.Random;

/** The ground in front, dark against the rest: a slope into one lower corner, with some conifers on it. */
final class Bank {

    private static final int CONIFERS = 9;

    private final Canvas canvas;
    private final Scene scene;
    private final Random random;
    private final boolean left;
    private final float reach;

    Bank(Canvas canvas, Scene scene) {
        this.canvas = canvas;
        this.scene = scene;
        random = new Random(scene.seed(5));
        left = random.nextInt(4) > 0;
        reach = scene.width() * (0.34f + 0.16f * random.nextFloat());
    }

    void paint() {
        var ground = ground();
        for (int x = 0; x < scene.width(); x++) {
            float grass = 0.006f * scene.unit() * Noise.line(scene.seed(7), x * 0.8f);
            canvas.fillBelow(x, ground.y()[x] - grass, scene.mood().near);
        }
        int count = Math.round(CONIFERS * scene.detail());
        for (int i = 0; i < count; i++) {
            conifer(ground, 0.8f * (i + 1.5f * random.nextFloat()) / (count + 0.5f));
        }
    }

    private Ridge ground() {
        float top = scene.height() * (0.89f - 0.03f * random.nextFloat());
        var ground = new float[scene.width()];
        for (int x = 0; x < ground.length; x++) {
            float away = (left ? x : scene.width() - 1 - x) / reach;
            float bumps = Noise.fractal(scene.seed(6), x * 9 / scene.unit(), 4) - 0.5f;
            ground[x] = top + 1.1f * (scene.height() - top) * away * away + 0.03f * scene.unit() * bumps;
        }
        return new Ridge(ground);
    }

    /** @param away from the picture's side, 0 to 1: the farther, the smaller, as the bank opens the view */
    private void conifer(Ridge ground, float away) {
        float height = scene.unit() * (0.34f - 0.30f * away) * (0.5f + 0.65f * random.nextFloat());
        float x = left ? away * reach : scene.width() - 1 - away * reach;
        float foot = ground.y()[(int) x] + 0.01f * scene.unit();
        Conifers.paint(canvas, random.nextLong(), x, foot, height, scene.mood().near);
    }
}
