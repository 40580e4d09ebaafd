package dev.imagen.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Processor time so far, in seconds, from Linux's {@code /proc}.
 *
 * @param own of this process
 * @param server of the PostgreSQL whose first process the environment names in {@code PG_PID}, with all its children
 */
record ProcessorTime(double own, double server) {

    private static final double TICKS = 100;

    static ProcessorTime now() throws IOException {
        long[] own = ticks("self");
        return new ProcessorTime((own[0] + own[1]) / TICKS,
                Optional.ofNullable(System.getenv("PG_PID")).isPresent() ? server(System.getenv("PG_PID")) : 0);
    }

    private static double server(String first) throws IOException {
        long ticks = Arrays.stream(ticks(first)).sum();
        for (String child : Files.readString(Path.of("/proc", first, "task", first, "children")).trim().split(" ")) {
            long[] living = ticks(child);
            ticks += living[0] + living[1];
        }
        return ticks / TICKS;
    }

    /** User and system time, of the process and of its children that ended. */
    private static long[] ticks(String process) throws IOException {
        try {
            var fields = Files.readString(Path.of("/proc", process, "stat")).replaceFirst("(?s)^.*\\) ", "").split(" ");
            return Arrays.stream(fields, 11, 15).mapToLong(Long::parseLong).toArray();
        } catch (NoSuchFileException e) {
            // It ended in the meantime, and its parent has its time.
            return new long[4];
        }
    }

    /** Prints what was used since, for each 10,000 jobs. */
    void printSince(int jobs) throws IOException {
        var now = now();
        Sample.of("worker_cpu", (now.own - own) * 10_000 / jobs, "s/10k jobs", "").print();
        Sample.of("pg_cpu", (now.server - server) * 10_000 / jobs, "s/10k jobs", "").print();
    }

    /** The most that this process has had in memory, in MiB. */
    static double peakMemory() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmHWM"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024).findFirst()
                .orElseThrow();
    }
}
