package dev.imagen.backend.landscape;

/** Northern lights: hanging folds of light, bright at the lower edge and fading upwards. */
final class Curtains {

    private final Fold[] folds = new Fold[3];
    private final float softness;

    private record Fold(float[] edge, float[] light, float length) {}

    Curtains(Scene scene) {
        softness = 0.02f * scene.unit();
        for (int i = 0; i < folds.length; i++) {
            folds[i] = fold(scene, i);
        }
    }

    private static Fold fold(Scene scene, int number) {
        long seed = scene.seed(10 + number);
        float skyline = scene.skyline();
        var edge = new float[scene.width()];
        var light = new float[scene.width()];
        for (int x = 0; x < edge.length; x++) {
            float at = x / scene.unit();
            float sway = Noise.fractal(seed, at * 2.2f, 3) - 0.5f;
            edge[x] = skyline * (0.86f - 0.22f * number + 0.5f * sway);
            float rays = Noise.fractal(seed + 10, at * 26 + 6 * sway, 3);
            float patch = Noise.smooth(Noise.line(seed + 20, at * 2.6f) * 2.2f - 0.45f);
            light[x] = (0.62f - 0.10f * number) * patch * (0.28f + 0.9f * rays);
        }
        return new Fold(edge, light, skyline * (0.75f - 0.16f * number));
    }

    /** Adds their light to a row of the sky. */
    void light(int y, float[] tones) {
        for (var fold : folds) {
            for (int x = 0; x < tones.length; x++) {
                float above = fold.edge[x] - y;
                float fade = Math.max(0, 1 - above / fold.length);
                tones[x] += fold.light[x] * Noise.smooth(above / softness + 0.5f) * fade * fade * fade;
            }
        }
    }
}
