package dev.imagen.backend.landscape;

/** One range of mountains or hills: a ridge, slopes in light and shade, and the mist at their feet. */
final class Range {

    /** From this nearness on, single trees can be told on a ridge. */
    private static final float WOODED = 0.55f;

    private final Canvas canvas;
    private final Scene scene;
    private final Palette.Ramp ramp;
    private final long seed;

    /** 0 for the farthest range, 1 for the closest. */
    private final float nearness;

    private final float mistTop;
    private final float mistBottom;
    private final float[] slopes;
    private final Ridge ridge;

    /**
     * @param ramp from shade to mist
     * @param number 0 for the farthest range
     * @param count of ranges, at least 2
     */
    Range(Canvas canvas, Scene scene, Palette.Ramp ramp, int number, int count) {
        this.canvas = canvas;
        this.scene = scene;
        this.ramp = ramp;
        seed = scene.seed(100 + number);
        nearness = number / (count - 1f);
        float depth = Math.min(scene.shore(), scene.height() * 0.97f) - scene.skyline();
        float base = scene.skyline() + depth * (0.02f + 0.80f * nearness);
        float tall = Math.min(scene.unit(), scene.height()) * (0.38f - 0.25f * nearness);
        mistTop = base - 0.33f * tall;
        mistBottom = base + 0.8f * depth / count + 0.03f * scene.unit();
        var land = Ridge.of(scene, seed, Math.min(1, 1.6f * nearness), base, tall, 1.6f + 1.2f * nearness);
        slopes = land.slopes(Math.max(1, Math.round(0.008f * scene.unit())));
        ridge = nearness > WOODED ? Conifers.forest(land, scene, seed, treeHeight()) : land;
    }

    private float treeHeight() {
        return scene.unit() * (0.012f + 0.034f * (nearness - WOODED));
    }

    Ridge ridge() {
        return ridge;
    }

    /**
     * @param front where each column ends: the next range, or the shore
     * @param lightX the column that the light comes from
     */
    void paint(Ridge front, float lightX) {
        var texture = new float[scene.width()];
        var wisps = new float[scene.width()];
        var light = light(lightX);
        int bottom = Math.min(scene.shore(), front.below());
        for (int y = ridge.firstRow(); y < bottom; y++) {
            Noise.clouds(texture, seed & 0xFF, 260 / scene.unit(), y * 150 / scene.unit());
            Noise.clouds(wisps, seed >> 8 & 0xFF, 60 / scene.unit(), y * 300 / scene.unit());
            row(y, front.y(), texture, wisps, light);
        }
        soften(bottom);
    }

    /** How strongly a slope shows whether it faces the light, column by column: straight below it, not at all. */
    private float[] light(float lightX) {
        float strength = 0.19f * (1 - nearness) + 0.02f;
        var light = new float[scene.width()];
        for (int x = 0; x < light.length; x++) {
            float away = (lightX - x) / (0.25f * scene.unit());
            light[x] = strength * Math.max(-1, Math.min(1, away));
        }
        return light;
    }

    private void row(int y, float[] front, float[] texture, float[] wisps, float[] light) {
        float fog = (0.95f - 0.3f * nearness) * Noise.smooth((y - mistTop) / (mistBottom - mistTop));
        float relief = 0.15f * (1 - nearness) + 0.03f;
        float fall = 1 / (0.20f * scene.unit());
        for (int x = 0; x < texture.length; x++) {
            float depth = y - ridge.y()[x];
            if (depth < 0 || y > front[x] + 1) {
                continue;
            }
            float rough = texture[x] - 0.5f;
            float shade = 0.22f + relief * rough;
            if (depth * fall < 1) {
                int face = (int) (x + 1.6f * rough * depth);
                shade += light[x] * slopes[Math.clamp(face, 0, slopes.length - 1)] * (1 - depth * fall);
            }
            canvas.put(x, y, ramp, shade + (1 - shade) * fog * (0.75f + 0.5f * wisps[x]));
        }
    }

    /** Lets the ridge cover its last pixels in part: without it every slope is a staircase. */
    private void soften(int bottom) {
        var line = ridge.y();
        int last = line.length - 1;
        for (int x = 0; x <= last; x++) {
            int inside = (int) Math.ceil(line[x]);
            if (inside < 0 || inside >= bottom) {
                continue;
            }
            float neighbour = Math.min(line[Math.max(0, x - 1)], line[Math.min(last, x + 1)]);
            float from = Math.min(line[x], (line[x] + neighbour) / 2);
            int colour = canvas.colour(x, inside);
            for (int y = inside - 1; y > from - 1; y--) {
                canvas.blend(x, y, colour, (y + 1 - from) / (line[x] - from + 1));
            }
        }
    }
}
