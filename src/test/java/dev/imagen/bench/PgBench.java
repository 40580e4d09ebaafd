package dev.imagen.bench;

import dev.imagen.queue.QueueScripts;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Pattern;

/** What PostgreSQL itself can do at most, by its own {@code pgbench}: the same tables, triggers and statements. */
final class PgBench {

    private static final Pattern RATE = Pattern.compile("tps = ([0-9.]+)");
    private static final int IN_ONE = 50;
    private static final int THREADS = 2;
    /** The service's own, which every one of its connections has. */
    private static final String OPTIONS = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off";

    private final BenchServer server;
    private final Path folder;
    private final int run;

    PgBench(BenchServer server, Path folder, int run) {
        this.server = server;
        this.folder = folder;
        this.run = run;
    }

    /** @return whether it is installed */
    static boolean installed() throws InterruptedException {
        try {
            return new ProcessBuilder("pgbench", "--version").start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /** Claims and finishes, in batches and one by one, each at the numbers of clients that were ever the best. */
    List<Sample> drains(int jobs) throws IOException, InterruptedException, SQLException {
        var samples = new ArrayList<Sample>();
        for (int clients : new int[]{1, 2, 4}) {
            samples.add(drain("drain_50", IN_ONE, clients, jobs));
        }
        for (int clients : new int[]{1, 4}) {
            samples.add(drain("drain_1", 1, clients, Math.min(jobs, 4000)));
        }
        return samples;
    }

    /** One job in a transaction. */
    Sample insert(int jobs, int clients) throws IOException, InterruptedException, SQLException {
        server.create(BenchServer.DATABASE, "empty");
        var script = script("insert", "insert into imagen.jobs (owner_user_id, prompt)"
                + " values ('00000000-0000-4000-8000-000000000001', 'a quiet bay');\n");
        return sample("insert_" + clients + "conn", rate(script, clients, jobs), "");
    }

    private Sample drain(String metric, int inOne, int clients, int jobs)
            throws IOException, InterruptedException, SQLException {
        var worker = UUID.randomUUID();
        server.create(BenchServer.DATABASE, "empty");
        server.execute(BenchServer.DATABASE, "insert into imagen.workers (id, name, backends, heartbeat_at) values ('"
                + worker + "', 'pgbench', '{mock}', now() + interval '1 day')");
        server.execute(BenchServer.DATABASE, Growth.PENDING.sql(0, jobs + 1000));
        server.tidy(BenchServer.DATABASE);
        var script = script(metric, QueueScripts.claimAndFinish(worker, inOne));
        return sample(metric, rate(script, clients, jobs / inOne) * inOne, clients + " clients");
    }

    private Path script(String name, String sql) throws IOException {
        return Files.writeString(folder.resolve(name + ".pgbench"), sql);
    }

    private double rate(Path script, int clients, int transactions) throws IOException, InterruptedException {
        var url = URI.create(server.url(BenchServer.DATABASE).replaceFirst("^jdbc:", ""));
        var builder = new ProcessBuilder("pgbench", "-n", "-M", "prepared", "-h", url.getHost(), "-p",
                String.valueOf(url.getPort()), "-U", "postgres", "-c", String.valueOf(clients), "-j",
                String.valueOf(Math.min(clients, THREADS)), "-t", String.valueOf(transactions / clients), "-f",
                script.toString(), BenchServer.DATABASE).redirectErrorStream(true);
        builder.environment().put("PGOPTIONS", OPTIONS);
        var process = builder.start();
        var said = new String(process.getInputStream().readAllBytes());
        var rate = RATE.matcher(said);
        if (process.waitFor() != 0 || !rate.find() || !said.contains("number of failed transactions: 0 ")) {
            throw new IOException("pgbench failed: " + said);
        }
        return Double.parseDouble(rate.group(1));
    }

    private Sample sample(String metric, double value, String variant) {
        return new Sample("pgbench", "bound", "fresh", run, metric, value, "jobs/s", variant);
    }
}
