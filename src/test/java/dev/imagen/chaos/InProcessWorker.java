package dev.imagen.chaos;

import dev.imagen.backend.Backends;
import dev.imagen.backend.MockBackend;
import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.config.SettingsLoader;
import dev.imagen.config.WorkerSettings;
import dev.imagen.database.Database;
import dev.imagen.pipeline.GenerationPipeline;
import dev.imagen.pipeline.PromptStyles;
import dev.imagen.queue.PostgresJobQueue;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.ImageStores;
import dev.imagen.worker.Worker;
import dev.imagen.worker.WorkerListener;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The service's worker in the test's own process: for faults that only a part of ours can have. */
final class InProcessWorker implements AutoCloseable {

    /** The longest attempt. */
    static final Duration TIMEOUT = Duration.ofSeconds(1);

    private static final WorkerSettings SETTINGS = new WorkerSettings(true, 16, Duration.ofMillis(100), TIMEOUT,
            Duration.ofSeconds(30), Stage.LEASE, Duration.ofMinutes(1), Duration.ofMillis(5), Map.of());

    private final Database database;
    private final Worker worker;

    private InProcessWorker(DatabaseSettings settings, ImageStore store) {
        var login = settings.service();
        var named = new Login(Crew.named(login.url(), "worker-in-process"), login.username(), login.password());
        database = new Database(settings.at(named, settings.owner()).forWorker());
        var backends = new Backends("mock", List.of(new MockBackend(Duration.ZERO, 0)));
        var pipeline = new GenerationPipeline(new PromptStyles(Map.of()), backends, new ImageStores(store),
                SettingsLoader.load(Map.of()).images(), (_, _) -> Optional.empty());
        worker = new Worker(new PostgresJobQueue(database, SETTINGS), pipeline, SETTINGS, backends.names(),
                WorkerListener.NONE);
    }

    /** Begins to work; it polls. */
    static InProcessWorker start(DatabaseSettings settings, ImageStore store) {
        var started = new InProcessWorker(settings, store);
        started.worker.start();
        return started;
    }

    @Override
    public void close() {
        worker.stop();
        database.close();
    }
}
