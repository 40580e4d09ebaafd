package dev.imagen.backend.landscape;

import java.util.Arrays;
import java.util.List;

/** Up to 256 colours, {@code 0xRRGGBB}, and the closest of them to any other. One picture's, so one thread's. */
final class Palette {

    /** What one byte a pixel can name. */
    static final int SIZE = 256;

    private final int[] colours = new int[SIZE];
    private int size;

    /**
     * The answers of {@link #nearest} by the upper five bits of each channel; 0: not asked yet, otherwise index + 1.
     */
    private final short[] known = new short[1 << 15];

    /**
     * Colours on the way through stops, which are evenly spaced, as neighbouring entries: one ramp for each list of
     * stops, with the more entries the farther its stops are apart.
     *
     * @param entries what is to be shared out, at most
     */
    List<Ramp> ramps(int entries, List<int[]> stops) {
        double all = stops.stream().mapToDouble(Palette::distance).sum();
        double share = (entries - 2 * stops.size()) / all;
        var ramps = stops.stream().map(each -> ramp(2 + (int) (distance(each) * share), each)).toList();
        Arrays.fill(known, (short) 0);
        return ramps;
    }

    private Ramp ramp(int entries, int... stops) {
        var ramp = new Ramp(size, entries);
        for (int i = 0; i < entries; i++) {
            float at = (stops.length - 1) * (float) i / (entries - 1);
            int stop = Math.min((int) at, stops.length - 2);
            colours[size++] = mix(stops[stop], stops[stop + 1], at - stop);
        }
        return ramp;
    }

    private static double distance(int... stops) {
        double length = 0;
        for (int i = 1; i < stops.length; i++) {
            length += Math.sqrt(squaredDistance(stops[i - 1], stops[i]));
        }
        return length;
    }

    /** Entries that belong to no ramp. */
    void add(int... more) {
        System.arraycopy(more, 0, colours, size, more.length);
        size += more.length;
        Arrays.fill(known, (short) 0);
    }

    int colour(int index) {
        return colours[index];
    }

    int[] colours() {
        return Arrays.copyOf(colours, size);
    }

    /** The index of the closest colour, to within the lower three bits of each channel. */
    int nearest(int colour) {
        int cell = (colour >> 9 & 0x7C00) | (colour >> 6 & 0x3E0) | (colour >> 3 & 0x1F);
        if (known[cell] == 0) {
            known[cell] = (short) (search(colour) + 1);
        }
        return known[cell] - 1;
    }

    private int search(int colour) {
        int best = 0;
        int least = Integer.MAX_VALUE;
        for (int i = 0; i < size; i++) {
            int distance = squaredDistance(colours[i], colour);
            if (distance < least) {
                least = distance;
                best = i;
            }
        }
        return best;
    }

    private static int squaredDistance(int a, int b) {
        int red = (a >> 16) - (b >> 16);
        int green = (a >> 8 & 0xFF) - (b >> 8 & 0xFF);
        int blue = (a & 0xFF) - (b & 0xFF);
        return red * red + green * green + blue * blue;
    }

    /** @param share of {@code to}, 0 to 1 */
    static int mix(int from, int to, float share) {
        return channel(from, to, 16, share) | channel(from, to, 8, share) | channel(from, to, 0, share);
    }

    private static int channel(int from, int to, int shift, float share) {
        int start = from >> shift & 0xFF;
        int end = to >> shift & 0xFF;
        return (int) (start + (end - start) * share + 0.5f) << shift;
    }

    /** Neighbouring entries of a palette that go from one tone to another. */
    record Ramp(int first, int entries) {

        int last() {
            return first + entries - 1;
        }

        /** Leads each of these entries to the same tone of another ramp. */
        void mapTo(Ramp other, byte[] map) {
            for (int i = 0; i < entries; i++) {
                map[first + i] = (byte) (other.first + Math.round(i * (other.entries - 1f) / (entries - 1)));
            }
        }
    }
}
