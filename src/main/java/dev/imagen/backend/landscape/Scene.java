package dev.imagen.backend.landscape;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;

/**
 * What is to be painted and where it stands, as far as several painters need it.
 *
 * @param width pixels
 * @param height pixels
 * @param unit pixels that things measure by: the side of a square as large as the picture, so that a wide picture shows
 *     more land and not wider hills
 * @param skyline where the sky meets the farthest land, in pixels from the top
 * @param shore where the land ends and the lake begins, in pixels from the top; the picture's height without a lake
 * @param detail 0 to 1, how finely all is worked out
 * @param seed tells this scene from all others
 */
record Scene(Mood mood, int width, int height, float unit, float skyline, int shore, float detail, long seed) {

    /** Steps after which half of the detail is there. */
    private static final float HALFWAY = 5;

    private static final Set<String> LAKE = Set.of("lake", "water", "sea", "ocean", "river", "pond", "fjord",
            "reflection");

    /** The one scene of these parameters: what the prompt names and the seed chooses the rest. */
    static Scene of(String prompt, long seed, int width, int height, int steps) {
        long key = key(prompt, seed);
        var random = new Random(key);
        var words = words(prompt);
        var moods = Mood.values();
        var mood = Mood.in(words).orElse(moods[random.nextInt(moods.length)]);
        float skyline = height * (0.50f + 0.08f * random.nextFloat());
        boolean lake = random.nextInt(5) < 3 || !Collections.disjoint(words, LAKE);
        int shore = lake ? (int) (height * (0.69f + 0.06f * random.nextFloat())) : height;
        float unit = (float) Math.sqrt((double) width * height);
        float detail = steps / (steps + HALFWAY);
        return new Scene(mood, width, height, unit, skyline, shore, detail, key);
    }

    private static long key(String prompt, long seed) {
        long key = Noise.mix(seed);
        for (int i = 0; i < prompt.length(); i++) {
            key = Noise.mix(key ^ prompt.charAt(i));
        }
        return key;
    }

    private static List<String> words(String prompt) {
        return Arrays.asList(prompt.toLowerCase(Locale.ROOT).split("[^\\p{L}]+"));
    }

    boolean hasLake() {
        return shore < height;
    }

    /** A seed for one part of the scene, so that more of one part leaves the others as they are. */
    long seed(int part) {
        return Noise.mix(seed + part);
    }
}
