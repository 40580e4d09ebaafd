package dev.imagen.bench;

import java.util.Arrays;

/** Durations in milliseconds, sorted. */
record Percentiles(double[] sorted) {

    static Percentiles ofNanos(long[] nanos) {
        return new Percentiles(Arrays.stream(nanos).mapToDouble(n -> n / 1e6).sorted().toArray());
    }

    double at(int percent) {
        return sorted[Math.min(sorted.length - 1, (int) Math.ceil(sorted.length * percent / 100.0) - 1)];
    }

    void print(String name) {
        System.out.printf("%-22s %8.2f %8.2f %8.2f %8.2f%n", name, at(50), at(95), at(99), at(100));
    }
}
