package dev.imagen;

import dev.imagen.config.SettingsLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;

/** Serves until it is told to stop. */
@Command(name = "serve", description = "Works on the queue and serves the REST API (the default).", mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

    @Override
    public Integer call() throws InterruptedException {
        var service = new Service(SettingsLoader.load());
        var stop = new Thread(() -> {
            service.stop();
            System.out.flush();
            // Stopping when asked to is success; the JVM would say 143.
            Runtime.getRuntime().halt(0);
        }, "imagen-stop");
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
}
