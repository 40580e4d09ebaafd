package dev.imagen.chaos;

import java.util.Random;

/** How much of a scenario is run, and the dice: {@code imagen.chaos} (short or long) and {@code imagen.chaos.seed}. */
final class Form {

    private static final boolean LONG = System.getProperty("imagen.chaos", "short").equals("long");
    private static final long SEED = Long.getLong("imagen.chaos.seed", System.nanoTime());

    private Form() {}

    /** The number for this run. */
    static int of(int shortForm, int longForm) {
        return LONG ? longForm : shortForm;
    }

    /** Dice that fall the same way in each run with this seed, in each scenario from the beginning. */
    static Random dice() {
        return new Random(SEED);
    }

    /** How to run the same again. */
    static String repeat() {
        return "-Dimagen.chaos=" + (LONG ? "long" : "short") + " -Dimagen.chaos.seed=" + SEED;
    }
}
