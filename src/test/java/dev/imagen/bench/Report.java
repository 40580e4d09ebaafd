package dev.imagen.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The medians of all runs, and what they are to be compared with. */
record Report(List<Sample> samples) {

    private static final String OURS = "imagen";
    private static final String BOUND = "pgbench";

    void print() {
        System.out.printf("%n%-10s %-10s %-24s %-10s %10s %10s %10s  %s%n", "", "tables", "", "", "median", "min",
                "max", "");
        samples.stream().map(Report::name).distinct().forEach(this::line);
        System.out.println();
        ratio("drain / pgbench in batches of 50", median(OURS, "fresh", "drain"), best(BOUND, "drain_50"));
        ratio("drain / pgbench one by one", median(OURS, "fresh", "drain"), best(BOUND, "drain_1"));
        ratio("pickup p50 / floor", median(OURS, "fresh", "pickup_from_commit_p50"),
                median(OURS, "fresh", "floor_p50"));
        ratio("pickup p99 / floor", median(OURS, "fresh", "pickup_from_commit_p99"),
                median(OURS, "fresh", "floor_p99"));
        for (int clients : new int[]{1, 8}) {
            ratio("POST / pgbench insert, " + clients + " connections",
                    median(OURS, "fresh", "post_" + clients + "conn"),
                    median(BOUND, "fresh", "insert_" + clients + "conn"));
        }
        for (Growth growth : Growth.values()) {
            if (growth == growth.comparedWith()) {
                continue;
            }
            for (String metric : List.of("drain", "pickup_from_commit_p50")) {
                ratio(metric + ", " + growth.phase() + " / " + growth.comparedWith().phase(),
                        median(OURS, growth.phase(), metric), median(OURS, growth.comparedWith().phase(), metric));
            }
        }
    }

    /** What all runs of one number share. */
    private static List<String> name(Sample sample) {
        return List.of(sample.peer(), sample.phase(), sample.metric(), sample.variant(), sample.unit());
    }

    private void line(List<String> name) {
        double[] values = sorted(name);
        System.out.printf(Locale.ROOT, "%-10s %-10s %-24s %-10s %10.2f %10.2f %10.2f  %s%n", name.get(0), name.get(1),
                name.get(2), name.get(3), median(values), values[0], values[values.length - 1], name.get(4));
    }

    private double[] sorted(List<String> name) {
        return samples.stream().filter(sample -> name(sample).equals(name)).mapToDouble(Sample::value).sorted()
                .toArray();
    }

    private static double median(double[] sorted) {
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
    }

    /** Of pickups, those by SQL. */
    private double median(String peer, String phase, String metric) {
        var variant = metric.startsWith("pickup") ? "sql" : "";
        return median(samples.stream()
                .filter(sample -> sample.peer().equals(peer) && sample.phase().equals(phase)
                        && sample.metric().equals(metric) && sample.variant().equals(variant))
                .mapToDouble(Sample::value).sorted().toArray());
    }

    /** Of the numbers of clients that were tried. */
    private double best(String peer, String metric) {
        return samples.stream().filter(sample -> sample.peer().equals(peer) && sample.metric().equals(metric))
                .map(Report::name).distinct().mapToDouble(name -> median(sorted(name))).max().orElse(Double.NaN);
    }

    private static void ratio(String name, double value, double of) {
        if (!Double.isNaN(value) && !Double.isNaN(of)) {
            System.out.printf(Locale.ROOT, "%-60s %6.2f%n", name, value / of);
        }
    }
}
