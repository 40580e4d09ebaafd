package dev.imagen.backend.landscape;

import java.util.Random;

/** Paints the sky: one ramp from the zenith to the light, with glow, clouds, curtains and stars as places in it. */
final class Sky {

    private final Canvas canvas;
    private final Scene scene;
    private final Mood mood;
    private final Palette.Ramp ramp;
    private final Random random;
    private final float cloudiness;
    private final int cloudOffset;

    /** The sun's or the moon's centre, in pixels. */
    final float lightX;
    final float lightY;

    Sky(Canvas canvas, Scene scene, Palette.Ramp ramp) {
        this.canvas = canvas;
        this.scene = scene;
        this.ramp = ramp;
        mood = scene.mood();
        random = new Random(scene.seed(1));
        float side = random.nextInt(3) > 0 ? 0.62f : 0.32f;
        lightX = scene.width() * (side + 0.08f * random.nextFloat());
        lightY = scene.skyline() * (1 - mood.altitude * (0.9f + 0.2f * random.nextFloat()));
        cloudiness = 0.34f + 0.16f * random.nextFloat();
        cloudOffset = random.nextInt(256);
    }

    /** @param bottom the first row that stays unpainted */
    void paint(int bottom) {
        var tones = new float[scene.width()];
        var clouds = new float[scene.width()];
        var curtains = mood == Mood.AURORA ? new Curtains(scene) : null;
        for (int y = 0; y < bottom; y++) {
            gradient(y, tones);
            if (curtains != null) {
                curtains.light(y, tones);
            } else {
                clouds(y, tones, clouds);
            }
            for (int x = 0; x < tones.length; x++) {
                canvas.put(x, y, ramp, tones[x]);
            }
        }
        stars();
        if (mood.hasLight()) {
            disc();
        }
    }

    private void gradient(int y, float[] tones) {
        float height = y / scene.skyline();
        float base = 0.76f * height * (0.6f + 0.4f * height);
        float reach = scene.unit() * (mood.low() ? 0.20f : 0.10f);
        float dy = (y - lightY) / reach;
        float light = mood.hasLight() ? 1 - base : 0;
        for (int x = 0; x < tones.length; x++) {
            float dx = (x - lightX) / (reach * 1.5f);
            tones[x] = base + light / (1 + dx * dx + dy * dy);
        }
    }

    /** Streaks farther along the ramp than the sky behind them; closer together and fainter towards the horizon. */
    private void clouds(int y, float[] tones, float[] clouds) {
        float height = Math.min(1, y / scene.skyline());
        float row = cloudOffset + 330 * y / scene.unit() * (1 + height);
        Noise.clouds(clouds, cloudOffset, (1.3f - 0.5f * height) * 70 / scene.unit(), row);
        float strength = 0.28f * Noise.smooth(height * 3) * (1.15f - height);
        for (int x = 0; x < tones.length; x++) {
            tones[x] += strength * Noise.smooth((clouds[x] - 1 + cloudiness) * 3.2f);
        }
    }

    private void stars() {
        float area = scene.width() * scene.skyline() / (scene.unit() * scene.unit());
        int count = (int) (mood.stars * scene.detail() * 420 * area);
        int size = Math.max(1, Math.round(scene.unit() / 900));
        for (int i = 0; i < count; i++) {
            int x = (int) (random.nextFloat() * scene.width());
            int y = (int) (random.nextFloat() * scene.skyline());
            float bright = random.nextFloat();
            float fade = 1 - Noise.smooth(y / scene.skyline() * 1.1f);
            star(x, y, size, fade * (0.12f + 0.8f * bright * bright * bright), bright > 0.93f);
        }
    }

    private void star(int x, int y, int size, float share, boolean twinkles) {
        canvas.blend(x, y, size, size, mood.disc, share);
        if (twinkles) {
            canvas.blend(x - size, y, 3 * size, size, mood.disc, share * 0.3f);
            canvas.blend(x, y - size, size, 3 * size, mood.disc, share * 0.3f);
        }
    }

    private void disc() {
        float radius = scene.unit() * (mood.low() ? 0.042f : 0.032f);
        for (int y = (int) (lightY - radius - 1); y <= lightY + radius + 1; y++) {
            for (int x = (int) (lightX - radius - 1); x <= lightX + radius + 1; x++) {
                float dx = x - lightX;
                float dy = y - lightY;
                canvas.blend(x, y, mood.disc, radius + 0.5f - (float) Math.sqrt(dx * dx + dy * dy));
            }
        }
    }
}
