package dev.imagen.backend.landscape;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Paints mountains, hills and woods under a sky, often by a lake, from back to front. */
final class Landscape {

    /** What the palette has for ramps, and how a lake shares it: reflections may be coarser than what they mirror. */
    private static final int COLOURS = 234;
    private static final int LAKE_COLOURS = 86;

    private final Scene scene;
    private final Mood mood;
    private final Canvas canvas;
    private final List<int[]> stops = new ArrayList<>();
    private final List<Palette.Ramp> ramps;
    private final int ranges;

    private Landscape(Scene scene) {
        this.scene = scene;
        mood = scene.mood();
        canvas = new Canvas(scene.width(), scene.height());
        ranges = 3 + Math.round(3 * scene.detail());
        stops.add(mood.sky);
        for (int i = 0; i < ranges; i++) {
            stops.add(range(i / (ranges - 1f)));
        }
        canvas.palette.add(mood.disc);
        canvas.palette.add(edges());
        ramps = canvas.palette.ramps(scene.hasLake() ? COLOURS - LAKE_COLOURS : COLOURS, stops);
    }

    static Canvas paint(Scene scene) {
        var landscape = new Landscape(scene);
        landscape.paint();
        return landscape.canvas;
    }

    /** From a range's shade to the mist before it, both paler with the distance. */
    private int[] range(float nearness) {
        int horizon = Palette.mix(mood.haze, mood.sky[mood.sky.length - 3], 0.3f);
        int shade = Palette.mix(horizon, mood.near, 0.25f + 0.75f * nearness);
        return new int[]{shade, Palette.mix(shade, horizon, 0.85f - 0.45f * nearness)};
    }

    /** Colours that no ramp holds and soft edges need: between the dark foreground and the sky. */
    private int[] edges() {
        return IntStream.of(mood.sky).flatMap(
                colour -> IntStream.of(Palette.mix(mood.near, colour, 0.35f), Palette.mix(mood.near, colour, 0.68f)))
                .toArray();
    }

    private void paint() {
        var sky = new Sky(canvas, scene, ramps.getFirst());
        var land = IntStream.range(0, ranges).mapToObj(i -> new Range(canvas, scene, ramps.get(i + 1), i, ranges))
                .toList();
        sky.paint(Math.min(scene.height(), land.getFirst().ridge().below()));
        for (int i = 0; i < ranges; i++) {
            var front = i + 1 < ranges ? land.get(i + 1).ridge() : Ridge.level(scene.width(), scene.shore());
            land.get(i).paint(front, sky.lightX);
        }
        if (scene.hasLake()) {
            lake(sky);
        }
        new Bank(canvas, scene).paint();
    }

    private void lake(Sky sky) {
        var water = new Water(canvas, scene);
        water.paint(reflection());
        if (mood.hasLight()) {
            water.glitter(sky.lightX);
        }
    }

    /** The ramps again, tinted with the water's own colour, and the way to them from each palette index. */
    private byte[] reflection() {
        int deep = Palette.mix(mood.sky[1], mood.near, 0.4f);
        var tinted = stops.stream()
                .map(each -> IntStream.of(each).map(colour -> Palette.mix(colour, deep, 0.26f)).toArray()).toList();
        var mirrored = canvas.palette.ramps(LAKE_COLOURS, tinted);
        var reflection = new byte[Palette.SIZE];
        for (int i = 0; i < reflection.length; i++) {
            reflection[i] = (byte) i;
        }
        // The first colour is the sun's, at home on the bright end of the sky.
        reflection[0] = (byte) mirrored.getFirst().last();
        for (int i = 0; i < ramps.size(); i++) {
            ramps.get(i).mapTo(mirrored.get(i), reflection);
        }
        return reflection;
    }
}
