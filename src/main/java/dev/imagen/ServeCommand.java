package dev.imagen;

import dev.imagen.config.SettingsLoader;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;

/** Serves until it is told to stop. */
@Command(name = "serve", description = "Works on the queue and serves the REST API (the default).", mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

    /** After the grace: records, streams, requests, and the embedded server's stop. */
    static final Duration LAST_STEPS = Duration.ofMinutes(3);

    @Override
    public Integer call() throws InterruptedException {
        var settings = SettingsLoader.load();
        if (settings.jsonLogs()) {
            JsonFormatter.install();
        }
        var service = new Service(settings);
        var longest = settings.worker().grace().plus(settings.server().drain()).plus(LAST_STEPS);
        var stop = new Thread(() -> stop(service, longest), "imagen-stop");
        Runtime.getRuntime().addShutdownHook(stop);
        try {
            service.start();
        } catch (RuntimeException e) {
            if (Runtime.getRuntime().removeShutdownHook(stop)) {
                service.stop();
            }
            throw e;
        }
        new CountDownLatch(1).await();
        return 0;
    }

    /** Stopping when asked to is success, where the JVM would say 143; a stop that hangs is none. */
    private static void stop(Service service, Duration longest) {
        var stopping = Thread.ofVirtual().start(service::stop);
        try {
            boolean stopped = stopping.join(longest);
            System.out.flush();
            Runtime.getRuntime().halt(stopped ? 0 : 1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
