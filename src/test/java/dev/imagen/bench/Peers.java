package dev.imagen.bench;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Other queues, by a harness that is no part of ImaGen: its {@code run.sh} starts a PostgreSQL, and measures each of
 * {@code PEERS} by a command. ImaGen is one of them, and is measured by {@link Measurement}.
 */
record Peers(Path harness, Path folder, int runs, int finished) {

    private static final String OTHERS = "graphile-worker-0.17 graphile-worker-0.18 pg-boss-10 pg-boss-12 db-scheduler jobrunr";

    void run() throws IOException, InterruptedException {
        var script = harness.resolve("run.sh");
        if (!Files.isExecutable(script)) {
            throw new IOException("bench.peers has no run.sh to run: " + harness.toAbsolutePath());
        }
        var history = Files.writeString(folder.resolve("finished.sql"), Growth.FINISHED.sql(finished, 0)
                .replace("generate_series(1, " + finished + ")", "generate_series(1, :n)"));
        var builder = new ProcessBuilder(script.toAbsolutePath().toString()).redirectError(Redirect.INHERIT)
                .redirectOutput(folder.resolve("peers.jsonl").toFile());
        var environment = builder.environment();
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.putIfAbsent("PEERS", OTHERS + " imagen");
        environment.put("PEER_CMD_imagen", String.join(" ", Benchmark.command(System.getProperty("bench.jvm"))));
        environment.put("PEER_VARIANTS_imagen", "sql post");
        environment.put("FINISHED_SQL_imagen", history.toAbsolutePath().toString());
        environment.put("RUNS", String.valueOf(runs));
        environment.put("FINISHED", String.valueOf(finished));
        if (builder.start().waitFor() != 0) {
            throw new IOException("the harness failed: " + script);
        }
        System.out.println("other queues, every sample: " + folder.resolve("peers.jsonl"));
    }
}
