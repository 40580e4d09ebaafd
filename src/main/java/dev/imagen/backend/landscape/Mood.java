package dev.imagen.backend.landscape;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;

/** A time of day and its colours, {@code 0xRRGGBB}. */
enum Mood {

    // @formatter:off
    DAWN(Set.of("dawn", "sunrise", "morning", "spring"),
            0xFFFBEA, 0xCFAFBE, 0x1B2536, 0.26f, 0.25f,
            0x39477A, 0x6A6EA3, 0xA88FB6, 0xDDA3B0, 0xF4BFA6, 0xFBDDB0, 0xFFF0CC),

    DAY(Set.of("day", "noon", "sunny", "summer"),
            0xFFFFFA, 0xBBD3DF, 0x173229, 0.62f, 0,
            0x2E6CAE, 0x4F8DC6, 0x7FB2DB, 0xAFD2E6, 0xD6E7EA, 0xF1F2E6, 0xFFFBEF),

    GOLDEN(Set.of("golden", "gold", "autumn", "desert", "afternoon"),
            0xFFFBE6, 0xE2B57C, 0x2A1D1A, 0.30f, 0,
            0x56789A, 0x8AA3AE, 0xBDBBA6, 0xE2C997, 0xF3C775, 0xFAD37F, 0xFFE9AC),

    DUSK(Set.of("dusk", "sunset", "evening", "twilight"),
            0xFFF3D0, 0xB8627F, 0x150F26, 0.17f, 0.45f,
            0x1E1D4A, 0x432F70, 0x7B3F80, 0xB85476, 0xE5765F, 0xF7A35F, 0xFFD284),

    NIGHT(Set.of("night", "moon", "moonlight", "stars", "midnight"),
            0xF6F4E6, 0x2C4A72, 0x050913, 0.66f, 1,
            0x060C22, 0x0C1A3B, 0x152B57, 0x234273, 0x3C6190, 0x6E92B4, 0xB4CBD8),

    AURORA(Set.of("aurora", "borealis", "polar", "arctic"),
            0xE9F7E6, 0x1E4F63, 0x030912, 0, 1,
            0x060D24, 0x101B45, 0x26286B, 0x27517F, 0x2A9287, 0x52CE96, 0xB4F5C4),

    MIST(Set.of("mist", "misty", "fog", "foggy", "rain", "winter", "snow"),
            0xFFFFFC, 0xC3D2D3, 0x1C3036, 0.55f, 0,
            0x8FA7B2, 0xA6B9C1, 0xBCCBCF, 0xCFDADB, 0xDFE6E3, 0xEDF0EA, 0xF6F6F0);
    // @formatter:on

    private final Set<String> words;

    /** The sun or the moon itself. */
    final int disc;

    /** What far land fades into. */
    final int haze;

    /** The closest land. */
    final int near;

    /** How high the sun or the moon stands above the skyline, as a share of the sky; 0: there is none. */
    final float altitude;

    /** How many stars there are, 0 to 1. */
    final float stars;

    /** From the zenith to the glow around the sun or the moon. */
    final int[] sky;

    Mood(Set<String> words, int disc, int haze, int near, float altitude, float stars, int... sky) {
        this.words = words;
        this.disc = disc;
        this.haze = haze;
        this.near = near;
        this.altitude = altitude;
        this.stars = stars;
        this.sky = sky;
    }

    /** The first mood that one of the words, in lower case, belongs to. */
    static Optional<Mood> in(Collection<String> words) {
        return Arrays.stream(values()).filter(mood -> !Collections.disjoint(mood.words, words)).findFirst();
    }

    boolean hasLight() {
        return altitude > 0;
    }

    /** Whether the sun stands so low that its light spreads along the horizon. */
    boolean low() {
        return altitude < 0.5f;
    }
}
