package dev.imagen;

import dev.imagen.api.ApiServer;
import dev.imagen.api.Authenticator;
import dev.imagen.api.BearerAuthenticator;
import dev.imagen.api.SingleOwner;
import dev.imagen.auth.ApiKeys;
import dev.imagen.auth.JwtVerifier;
import dev.imagen.auth.Tickets;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.BuildVersions;
import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Settings;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.EmbeddedPostgres;
import dev.imagen.database.Migrations;
import dev.imagen.database.Notifications;
import dev.imagen.database.SchemaVersion;
import dev.imagen.event.JobEvents;
import dev.imagen.event.WatchedJobs;
import dev.imagen.observe.Health;
import dev.imagen.observe.Metrics;
import dev.imagen.observe.QueueSampler;
import dev.imagen.pipeline.GenerationPipeline;
import dev.imagen.pipeline.PromptStyles;
import dev.imagen.queue.InputImages;
import dev.imagen.queue.JobListener;
import dev.imagen.queue.PostgresJobQueue;
import dev.imagen.queue.QueueControl;
import dev.imagen.storage.ImageStores;
import dev.imagen.trace.Tracing;
import dev.imagen.upkeep.Upkeep;
import dev.imagen.worker.Worker;
import io.helidon.webserver.observe.metrics.MetricsObserver;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The process: starts everything in one list, and stops it in the reverse order. */
final class Service {

    private static final System.Logger LOG = System.getLogger(Service.class.getName());
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(2);
    private static final Duration LISTENER_CONNECTS = Duration.ofSeconds(10);

    private final Settings settings;
    private final Deque<Runnable> stops = new ConcurrentLinkedDeque<>();
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final CountDownLatch startEnded = new CountDownLatch(1);
    private volatile long stoppingNanos;

    Service(Settings settings) {
        this.settings = settings;
    }

    /** Returns when the service is ready, or is being stopped. */
    void start() {
        try {
            startAll();
        } finally {
            startEnded.countDown();
        }
    }

    private void startAll() {
        // Stopped last: the others still tell it something.
        var tracing = onStop(Tracing.of(settings.tracing(), BuildVersions.program()));
        var styles = new PromptStyles(settings.styles());
        var backends = onStop(ConfiguredBackends.of(settings, onStop(new RemoteHttp())));
        var stores = onStop(ImageStores.of(settings));

        Optional<EmbeddedPostgres> embedded = embedded();
        embedded.ifPresent(this::onStop);
        var databaseSettings = databaseSettings(embedded);
        var database = onStop(new Database(databaseSettings));
        var notifications = onStop(new Notifications(databaseSettings));
        var metrics = new Metrics(io.helidon.metrics.api.Metrics.globalRegistry());
        // Of its own: however many requests wait for the database, heartbeats and records do not wait with them.
        var queue = new PostgresJobQueue(onStop(new Database(databaseSettings.forWorker())), settings.worker(),
                settings.queue().fair());
        var worker = settings.worker().enabled()
                ? Optional.of(new Worker(queue,
                        new GenerationPipeline(styles, backends, stores, settings.images(),
                                new InputImages(database)::find),
                        settings.worker(), backends.names(), metrics))
                : Optional.<Worker>empty();
        var events = new JobEvents(new WatchedJobs(database, () -> worker.map(Worker::id)), notifications,
                databaseSettings.listen());
        worker.ifPresent(w -> JobListener.subscribe(notifications, w::wake, w::cancelled));
        metrics.observe(database, notifications, events, () -> worker.map(Worker::inFlight).orElse(0));
        var health = new Health(database, notifications, worker);
        var server = onStop(ApiServer.start(settings.server(),
                new ApiServer.Parts(database, events, backends, styles, stores, settings.images(),
                        settings.worker().lease(), tracing),
                new ApiServer.Access(authenticator(database), settings.api()),
                List.of(health.observer(), MetricsObserver.create())));
        onStop(events);

        if (!prepare(databaseSettings, database)) {
            return;
        }
        if (embedded.isPresent()) {
            expireAll(queue);
        }
        if (settings.server().api()) {
            stops.push(this::outlastDrain);
        }
        FilesOfOneHost.check(settings, database);
        backends.probe();
        notifications.start();
        events.start();
        worker.ifPresent(w -> {
            onStop(Upkeep.of(database, stores, settings.retention())).start();
            onStop(new QueueSampler(database)).start();
            w.start(events, tracing);
            stops.push(w::stop);
        });
        health.migrated();
        stops.push(server::drain);
        stops.push(health::stopping);
        awaitListener(notifications);
        Banner.print(settings, server.port(), embedded.map(EmbeddedPostgres::logins), databaseSettings);
    }

    private <T extends AutoCloseable> T onStop(T part) {
        stops.push(() -> {
            try {
                part.close();
            } catch (Exception e) {
                LOG.log(Level.WARNING, "stopping " + part.getClass().getSimpleName(), e);
            }
        });
        return part;
    }

    private Authenticator authenticator(Database database) {
        return switch (settings.auth().mode()) {
            case NONE -> new SingleOwner(settings.auth().owner());
            case JWT, KEYS -> new BearerAuthenticator(settings.auth().jwt().map(jwt -> onStop(new JwtVerifier(jwt))),
                    new ApiKeys(database), new Tickets(database));
        };
    }

    private Optional<EmbeddedPostgres> embedded() {
        return settings.database().connection().isPresent()
                ? Optional.empty()
                : Optional.of(EmbeddedPostgres.start(settings.home()));
    }

    private DatabaseSettings databaseSettings(Optional<EmbeddedPostgres> embedded) {
        return embedded.map(EmbeddedPostgres::logins)
                .map(logins -> settings.database().at(logins.service(), logins.owner())).orElse(settings.database());
    }

    /** The data folder's lock proves that no worker lives; without an answer their leases run out by themselves. */
    private static void expireAll(PostgresJobQueue queue) {
        try {
            queue.expireAll();
        } catch (DatabaseException e) {
            LOG.log(Level.WARNING, "jobs of earlier processes wait for their lease to end: {0}", e.getMessage());
        }
    }

    /**
     * Waits for a database that does not answer yet, or is not migrated yet. @return false when the process is stopped
     * meanwhile
     */
    private boolean prepare(DatabaseSettings settings, Database database) {
        for (long millis = 100;; millis = Math.min(millis * 2, LONGEST_RETRY.toMillis())) {
            try {
                if (settings.migrate()) {
                    new Migrations(settings).run();
                } else {
                    SchemaVersion.check(database);
                }
                var control = new QueueControl(database);
                this.settings.queue().limit().ifPresent(control::limitPending);
                this.settings.queue().budget().ifPresent(control::limitSpending);
                return true;
            } catch (DatabaseException e) {
                LOG.log(Level.WARNING, "the database is not ready yet ({0}): {1}", settings.owner(), e.getMessage());
            }
            if (stopped(millis)) {
                return false;
            }
        }
    }

    /** Without it jobs are picked up all the same, by the poll: worth a word, not a failure. */
    private static void awaitListener(Notifications notifications) {
        try {
            if (!notifications.awaitHealthy(LISTENER_CONNECTS)) {
                LOG.log(Level.WARNING, "the listener is not connected yet; until then jobs wait for the next poll");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean stopped(long millis) {
        try {
            return stopping.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Until it is known everywhere that this process is not ready, somebody may still send it requests. */
    private void outlastDrain() {
        try {
            Thread.sleep(settings.server().drain().minusNanos(System.nanoTime() - stoppingNanos));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Not ready, no more claims, what runs ends, upkeep ends; when the drain is over, streams end, then server,
     * listener, pool and database.
     */
    synchronized void stop() {
        stoppingNanos = System.nanoTime();
        stopping.countDown();
        awaitStart();
        while (!stops.isEmpty()) {
            stops.pop().run();
        }
    }

    /** A start under way ends soon, and leaves everything that it started in the list. */
    private void awaitStart() {
        try {
            startEnded.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
