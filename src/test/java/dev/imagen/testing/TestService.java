package dev.imagen.testing;

import dev.imagen.api.ApiServer;
import dev.imagen.api.Authenticator;
import dev.imagen.api.BearerAuthenticator;
import dev.imagen.api.SingleOwner;
import dev.imagen.auth.ApiKeys;
import dev.imagen.auth.JwtVerifier;
import dev.imagen.auth.Tickets;
import dev.imagen.backend.Backends;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.MockBackend;
import dev.imagen.config.ApiSettings;
import dev.imagen.config.AuthSettings;
import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.config.Settings;
import dev.imagen.config.SettingsLoader;
import dev.imagen.config.WorkerSettings;
import dev.imagen.database.Database;
import dev.imagen.database.Notifications;
import dev.imagen.event.JobEvents;
import dev.imagen.event.WatchedJobs;
import dev.imagen.pipeline.GenerationPipeline;
import dev.imagen.pipeline.PromptStyles;
import dev.imagen.queue.InputImages;
import dev.imagen.queue.JobListener;
import dev.imagen.queue.PostgresJobQueue;
import dev.imagen.storage.FileImageStore;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.ImageStores;
import dev.imagen.trace.Tracing;
import dev.imagen.worker.Worker;
import dev.imagen.worker.WorkerListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * A running service over a test's database, with the service's own parts. Two of them on one database are two replicas.
 */
public final class TestService implements AutoCloseable {

    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final String name;
    private final UUID owner;
    private final Path images;
    private final Database database;
    private final Notifications notifications;
    private final GatedPipeline pipeline;
    private final Worker worker;
    private final Tracing tracing;
    private final ApiServer.Parts parts;
    private final Optional<JwtVerifier> tokens;
    private final ApiServer.Access access;
    private final ApiServer server;
    private final TestClient client;

    private TestService(Setup setup) {
        var settings = SettingsLoader.load(setup.settings);
        this.name = "service-" + NUMBER.incrementAndGet();
        this.owner = setup.owner;
        this.images = folder();
        this.tracing = Tracing.of(settings.tracing(), "test");
        var databaseSettings = named(setup.database, name);
        this.database = new Database(databaseSettings);
        this.notifications = new Notifications(databaseSettings);
        this.parts = parts(settings, databaseSettings, setup);
        this.pipeline = new GatedPipeline(new GenerationPipeline(parts.styles(), parts.backends(), parts.stores(),
                settings.images(), new InputImages(database)::find));
        this.worker = new Worker(new PostgresJobQueue(database, setup.worker), pipeline, setup.worker,
                parts.backends().names(), WorkerListener.NONE);
        JobListener.subscribe(notifications, worker::wake, worker::cancelled);
        this.tokens = setup.jwt.map(JwtVerifier::new);
        this.access = new ApiServer.Access(
                tokens.<Authenticator>map(this::bearer).orElseGet(() -> new SingleOwner(owner)), setup.limits);
        this.server = ApiServer.start(settings.server(), parts, access, List.of());
        this.client = new TestClient(server.port());
        notifications.start();
        parts.events().start();
        if (setup.worker.enabled()) {
            worker.start(parts.events(), tracing);
        }
    }

    private ApiServer.Parts parts(Settings settings, DatabaseSettings databaseSettings, Setup setup) {
        var events = new JobEvents(new WatchedJobs(database, () -> Optional.of(worker.id())), notifications,
                databaseSettings.listen());
        var backends = new Backends("mock", setup.backends, settings.backends().offers());
        backends.probe();
        return new ApiServer.Parts(database, events, backends, new PromptStyles(settings.styles()),
                setup.stores.apply(new FileImageStore(images)), settings.images(), setup.worker.lease(), tracing);
    }

    private Authenticator bearer(JwtVerifier verifier) {
        return new BearerAuthenticator(Optional.of(verifier), new ApiKeys(database), new Tickets(database));
    }

    private static Path folder() {
        try {
            return Files.createTempDirectory("imagen-test");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Tells the connections of this service from those of others in pg_stat_activity. */
    private static DatabaseSettings named(DatabaseSettings settings, String name) {
        var login = settings.service();
        var url = login.url() + (login.url().contains("?") ? "&" : "?") + "ApplicationName=" + name;
        return settings.at(new Login(url, login.username(), login.password()), settings.owner());
    }

    /** How a service differs from the usual one. */
    public static final class Setup {

        private DatabaseSettings database;
        private UUID owner = UUID.randomUUID();
        private final List<ImageBackend> backends = new ArrayList<>(List.of(new MockBackend(Duration.ZERO, 0)));
        private Function<ImageStore, ImageStores> stores = ImageStores::new;
        private final Map<String, String> settings = new HashMap<>(
                Map.of("imagen.home", "target/no-home", "server.port", "0"));
        private WorkerSettings worker = new WorkerSettings(true, 16, Duration.ofSeconds(5), Duration.ofMinutes(5),
                Duration.ZERO, Duration.ofSeconds(15), Duration.ofSeconds(60), Duration.ofMillis(1), Map.of());

        private Optional<AuthSettings.Jwt> jwt = Optional.empty();
        private ApiSettings limits = ApiSettings.UNLIMITED;

        private Setup(DatabaseSettings database) {
            this.database = database;
        }

        /** Everything that is asked of it is this owner's; otherwise a new one's. */
        public Setup owner(UUID known) {
            owner = known;
            return this;
        }

        /** Everybody must show a token or an API key. */
        public Setup jwt(AuthSettings.Jwt settings) {
            jwt = Optional.of(settings);
            return this;
        }

        /** Nobody may ask for more. */
        public Setup limits(ApiSettings allowed) {
            limits = allowed;
            return this;
        }

        /** With other stores than the files of this machine, which are given. */
        public Setup stores(Function<ImageStore, ImageStores> made) {
            stores = made;
            return this;
        }

        /** Offers this backend besides the mock. */
        public Setup backend(ImageBackend offered) {
            backends.add(offered);
            return this;
        }

        /** With a setting of the server or of styles that is not the default. */
        public Setup with(String key, String value) {
            settings.put(key, value);
            return this;
        }

        /** Jobs stay pending. */
        public Setup withoutWorker() {
            return worker(false, worker.poll());
        }

        /** Without LISTEN; the worker looks at the queue often instead. */
        public Setup pollOnly() {
            database = new DatabaseSettings(database.connection(), database.migration(), database.migrate(),
                    database.listenerUrl(), false, database.pooler(), database.pool(), database.timeout());
            return worker(worker.enabled(), Duration.ofMillis(100));
        }

        private Setup worker(boolean enabled, Duration poll) {
            worker = new WorkerSettings(enabled, worker.concurrency(), poll, worker.timeout(), worker.grace(),
                    worker.lease(), worker.unknown(), worker.backoff(), worker.backends());
            return this;
        }

        /** Runs it. */
        public TestService start() {
            return new TestService(this);
        }
    }

    /** A service over this database, to be started. */
    public static Setup on(TestDatabase database) {
        return new Setup(database.settings());
    }

    /** A service over this database, to be started. */
    public static Setup on(DatabaseSettings database) {
        return new Setup(database);
    }

    /** The {@code application_name} of its connections. */
    public String name() {
        return name;
    }

    /** Whose everything is. */
    public UUID owner() {
        return owner;
    }

    /** To hold jobs, and let them fail. */
    public GatedPipeline pipeline() {
        return pipeline;
    }

    /** What its REST API works on. */
    public ApiServer.Parts parts() {
        return parts;
    }

    /** Who is let in. */
    public ApiServer.Access access() {
        return access;
    }

    /** Speaks with it. */
    public TestClient client() {
        return client;
    }

    /** The port of its API, for what no client of HTTP would do. */
    public int port() {
        return server.port();
    }

    /** Where its image files are. */
    public Path images() {
        return images;
    }

    /** It goes on for a while only. */
    public void drain() {
        server.drain();
    }

    /** Streams end, and what is asked now is still answered: the first half of {@link #close}. */
    public void stopEvents() {
        worker.stop();
        parts.events().close();
    }

    @Override
    public void close() {
        stopEvents();
        // Its idle connections would be waited for.
        client.close();
        server.close();
        notifications.close();
        parts.backends().close();
        database.close();
        tokens.ifPresent(JwtVerifier::close);
        tracing.close();
        delete(images);
    }

    private static void delete(Path folder) {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                // What an interrupted job wrote is removed by its own thread, too.
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
