package dev.imagen.bench;

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
        var drain = ours("fresh", "drain");
        ratio("drain / pgbench in batches of 50", drain, bound("drain_50"));
        ratio("drain / pgbench one by one", drain, bound("drain_1"));
        ratio("pickup p50 / floor", ours("fresh", "pickup_from_commit_p50"), ours("fresh", "floor_p50"));
        ratio("pickup p99 / floor", ours("fresh", "pickup_from_commit_p99"), ours("fresh", "floor_p99"));
        for (int clients : new int[]{1, 8}) {
            ratio("POST / pgbench insert, " + clients + " connections", ours("fresh", "post_" + clients + "conn"),
                    bound("insert_" + clients + "conn"));
        }
        for (Growth growth : Growth.values()) {
            if (growth == growth.comparedWith()) {
                continue;
            }
            for (String metric : List.of("drain", "pickup_from_commit_p50")) {
                ratio(metric + ", " + growth.phase() + " / " + growth.comparedWith().phase(),
                        ours(growth.phase(), metric), ours(growth.comparedWith().phase(), metric));
            }
        }
    }

    /** One number of each run. */
    private record Measured(String peer, String phase, String metric) {

        /** Of pickups, those by SQL. */
        boolean is(Sample sample) {
            return sample.peer().equals(peer) && sample.phase().equals(phase) && sample.metric().equals(metric)
                    && (!metric.startsWith("pickup") || sample.variant().equals("sql"));
        }
    }

    private static Measured ours(String phase, String metric) {
        return new Measured(OURS, phase, metric);
    }

    private static Measured bound(String metric) {
        return new Measured(BOUND, "fresh", metric);
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

    /** The median of the ratios of each run, as a machine's speed changes from run to run, and their ends. */
    private void ratio(String name, Measured value, Measured of) {
        double[] ratios = samples.stream().mapToInt(Sample::run).distinct()
                .mapToDouble(run -> best(run, value) / best(run, of)).filter(ratio -> !Double.isNaN(ratio)).sorted()
                .toArray();
        if (ratios.length > 0) {
            System.out.printf(Locale.ROOT, "%-60s %6.2f %10.2f %10.2f%n", name, median(ratios), ratios[0],
                    ratios[ratios.length - 1]);
        }
    }

    /** Of the numbers of clients that were tried, where they are several. */
    private double best(int run, Measured measured) {
        return samples.stream().filter(sample -> sample.run() == run && measured.is(sample)).mapToDouble(Sample::value)
                .max().orElse(Double.NaN);
    }
}
