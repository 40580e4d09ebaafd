package dev.imagen.bench;

import io.helidon.logging.common.LogConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One measurement of ImaGen in a process of its own, on the database of {@link BenchDatabase}; prints {@link Sample}s.
 * The first argument says what:
 *
 * <ul>
 * <li>{@code setup}: the schema
 * <li>{@code bulk N}, {@code copy N}, {@code enqueue N [CLIENTS]}, {@code silent N
 * CLIENTS}, {@code rest N CLIENTS}: {@link Enqueue}
 * <li>{@code looks N CLIENTS}: {@link IdleLooks}
 * <li>{@code drain N [perjob]}: {@link Drain}; {@code perjob}: one job at a time
 * <li>{@code latency VARIANT N GAP_MS}: {@link Pickup}
 * <li>{@code floor N GAP_MS}: {@link FloorLoop}
 * <li>{@code finish N}: {@link InsertToDone}
 * </ul>
 *
 * {@code BENCH_SETTINGS} has settings of the service, as {@code key=value,key=value}.
 */
final class Measurement {

    private static final String CONCURRENCY = "worker.concurrency";

    private Measurement() {}

    public static void main(String[] args) throws Exception {
        LogConfig.configureRuntime();
        var database = BenchDatabase.fromEnvironment();
        int number = args.length > 1 && !args[0].equals("latency") ? Integer.parseInt(args[1]) : 0;
        switch (args[0]) {
            case "setup" -> database.setUp();
            case "bulk" -> new Enqueue(database).bulk(number, "1".equals(System.getenv("QUIET")));
            case "copy" -> new Enqueue(database).copy(number);
            case "enqueue" -> new Enqueue(database).single(number, clients(args, 8));
            case "silent" -> new Enqueue(database).silent(number, clients(args, 8));
            case "looks" -> new IdleLooks(database).measure(number, clients(args, 1));
            case "rest" -> new Enqueue(database).rest(number, clients(args, 1));
            case "drain" -> new Drain(database, number).measure(settings(args));
            case "latency" -> new Pickup(database, Integer.parseInt(args[3])).measure(Integer.parseInt(args[2]),
                    args[1], settings(args));
            case "floor" -> FloorLoop.print(database, number, Integer.parseInt(args[2]));
            case "finish" -> new InsertToDone(database).measure(number);
            default -> throw new IllegalArgumentException("unknown measurement " + args[0]);
        }
        System.exit(0);
    }

    private static int clients(String[] args, int otherwise) {
        return args.length > 2 ? Integer.parseInt(args[2]) : otherwise;
    }

    private static Map<String, String> settings(String[] args) {
        var settings = new HashMap<>(Map.of(CONCURRENCY, args[args.length - 1].equals("perjob") ? "1" : "512"));
        Optional.ofNullable(System.getenv("BENCH_SETTINGS")).filter(text -> !text.isEmpty()).ifPresent(text -> {
            for (String setting : text.split(",")) {
                settings.put(setting.replaceFirst("=.*", ""), setting.replaceFirst("[^=]*=", ""));
            }
        });
        return settings;
    }
}
