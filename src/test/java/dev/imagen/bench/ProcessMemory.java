package dev.imagen.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * Memory of another JVM, in MiB.
 *
 * @param heap in use after a full collection
 * @param resident before it
 */
record ProcessMemory(long heap, long resident) {

    private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
    /** Of the generations of the serial collector. */
    private static final Pattern GENERATION = Pattern.compile("total \\d+K, used (\\d+)K");

    static ProcessMemory of(long pid) throws IOException, InterruptedException {
        long resident = kilobytes(RESIDENT, Files.readString(Path.of("/proc/" + pid + "/status")));
        command(pid, "GC.run");
        return new ProcessMemory(kilobytes(GENERATION, command(pid, "GC.heap_info")) / 1024, resident / 1024);
    }

    private static long kilobytes(Pattern pattern, String text) throws IOException {
        var found = pattern.matcher(text).results().mapToLong(match -> Long.parseLong(match.group(1))).toArray();
        if (found.length == 0) {
            throw new IOException("no size in: " + text);
        }
        return LongStream.of(found).sum();
    }

    private static String command(long pid, String command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(tool("jcmd"), String.valueOf(pid), command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes());
        process.waitFor();
        return output;
    }

    /** A program of the JDK that runs this one. */
    static String tool(String name) {
        return Path.of(System.getProperty("java.home"), "bin", name).toString();
    }
}
