package dev.imagen.bench;

import dev.imagen.api.ApiServer;
import dev.imagen.api.SingleOwner;
import dev.imagen.backend.Backends;
import dev.imagen.backend.MockBackend;
import dev.imagen.config.ApiSettings;
import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.config.Settings;
import dev.imagen.database.Database;
import dev.imagen.database.EmbeddedPostgres.EmbeddedLogins;
import dev.imagen.database.Migrations;
import dev.imagen.database.Notifications;
import dev.imagen.event.JobEvents;
import dev.imagen.event.WatchedJobs;
import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import dev.imagen.pipeline.GenerationPipeline;
import dev.imagen.pipeline.Pipeline;
import dev.imagen.pipeline.PromptStyles;
import dev.imagen.queue.JobListener;
import dev.imagen.queue.PostgresJobQueue;
import dev.imagen.storage.FileImageStore;
import dev.imagen.storage.ImageStores;
import dev.imagen.trace.Tracing;
import dev.imagen.worker.Worker;
import dev.imagen.worker.WorkerListener;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;

/** The service's own parts, put together as the service does, with a stamp at each claim. */
final class BenchSystem implements AutoCloseable {

    private final DatabaseSettings databaseSettings;
    private final Database database;
    private final Notifications notifications;
    private final JobEvents events;
    private final Worker worker;
    private final Settings.Server serverSettings;
    private final ApiServer.Parts parts;
    private final ApiServer server;
    private final UUID owner;
    private final Map<UUID, CompletableFuture<Long>> claims;
    private final Semaphore finished = new Semaphore(0);

    private BenchSystem(Settings settings, DatabaseSettings databaseSettings, Optional<Pipeline> instead) {
        this.databaseSettings = databaseSettings;
        this.owner = settings.auth().owner();
        this.claims = new ConcurrentHashMap<>();
        this.database = new Database(databaseSettings);
        this.notifications = new Notifications(databaseSettings);
        var styles = new PromptStyles(settings.styles());
        var backends = new Backends("mock", List.of(new MockBackend(settings.mock().delay(), 0)));
        var stores = new ImageStores(new FileImageStore(settings.home().resolve("images")));
        this.events = new JobEvents(new WatchedJobs(database, Optional::empty), notifications, true);
        Pipeline pipeline = instead.orElseGet(
                () -> new GenerationPipeline(styles, backends, stores, settings.images(), (_, _) -> Optional.empty()));
        this.worker = new Worker(new PostgresJobQueue(database, settings.worker(), settings.queue().fair()), pipeline,
                settings.worker(), backends.names(), stamps());
        JobListener.subscribe(notifications, worker::wake, worker::cancelled);
        this.serverSettings = settings.server();
        this.parts = new ApiServer.Parts(database, events, backends, styles, stores, settings.images(),
                settings.worker().lease(), Tracing.OFF);
        this.server = ApiServer.start(serverSettings, parts,
                new ApiServer.Access(new SingleOwner(owner), ApiSettings.UNLIMITED), List.of());
    }

    /** What is offered: only an instant pipeline needs no backend for it. */
    private static List<String> names(Settings settings) {
        return Stream.concat(Stream.of("mock"), settings.backends().remote().keySet().stream()).toList();
    }

    private WorkerListener stamps() {
        return new WorkerListener() {
            @Override
            public void claimed(Job job) {
                claims.computeIfAbsent(job.id(), _ -> new CompletableFuture<>()).complete(System.nanoTime());
            }

            @Override
            public void finished(Job job, Outcome outcome, Duration took) {
                finished.release();
            }
        };
    }

    static BenchSystem start(Settings settings, EmbeddedLogins logins) {
        return start(settings, logins, Optional.empty());
    }

    static BenchSystem start(Settings settings, EmbeddedLogins logins, Optional<Pipeline> instead) {
        return start(settings, logins.service(), logins.owner(), instead);
    }

    /** @param instead of the service's own pipeline */
    static BenchSystem start(Settings settings, Login service, Login owner, Optional<Pipeline> instead) {
        var database = settings.database().at(service, owner);
        new Migrations(database).run();
        return new BenchSystem(settings, database, instead);
    }

    void startWorker() {
        notifications.start();
        events.start();
        worker.start(events, Tracing.OFF);
    }

    /** When the worker had the job, by System.nanoTime. */
    long claimedAt(UUID job) {
        long at = claims.computeIfAbsent(job, _ -> new CompletableFuture<>()).join();
        claims.remove(job);
        return at;
    }

    /** Waits until as many more attempts have ended. */
    void awaitFinished(int jobs) throws InterruptedException {
        finished.acquire(jobs);
    }

    DatabaseSettings databaseSettings() {
        return databaseSettings;
    }

    UUID owner() {
        return owner;
    }

    Settings.Server server() {
        return serverSettings;
    }

    ApiServer.Parts parts() {
        return parts;
    }

    int port() {
        return server.port();
    }

    @Override
    public void close() {
        worker.stop();
        events.close();
        server.close();
        notifications.close();
        database.close();
    }
}
