package dev.imagen.api;

import dev.imagen.auth.Tickets;
import dev.imagen.backend.Backends;
import dev.imagen.config.ApiSettings;
import dev.imagen.config.Settings;
import dev.imagen.database.Database;
import dev.imagen.event.JobEvents;
import dev.imagen.image.ImageLimits;
import dev.imagen.pipeline.PromptStyles;
import dev.imagen.pipeline.RequestResolver;
import dev.imagen.queue.InputImages;
import dev.imagen.queue.ManyJobs;
import dev.imagen.queue.OwnedJobs;
import dev.imagen.queue.QueueControl;
import dev.imagen.queue.QueueDepths;
import dev.imagen.queue.QueueFailures;
import dev.imagen.queue.QueueHistory;
import dev.imagen.queue.Workers;
import dev.imagen.storage.ImageStores;
import dev.imagen.trace.Tracing;
import io.helidon.common.socket.SocketOptions;
import io.helidon.openapi.OpenApiFeature;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.observe.ObserveFeature;
import io.helidon.webserver.observe.spi.Observer;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.time.Duration;
import java.util.List;

/** The HTTP server: REST, event streams, OpenAPI, health and metrics. */
public final class ApiServer implements AutoCloseable {

    /**
     * The server counts a stream as idle from its beginning, whatever it sends: after this time it ends, and the client
     * comes back with Last-Event-ID.
     */
    private static final Duration LONGEST_STREAM = Duration.ofHours(1);

    /** That a request may have beyond its body. */
    private static final long HEADERS = 64 * 1024;

    private final WebServer server;
    private final Draining draining;

    private ApiServer(WebServer server, Draining draining) {
        this.server = server;
        this.draining = draining;
    }

    /**
     * What the REST API works on.
     *
     * @param lease a worker is dead this long after its last heartbeat
     * @param tracing of requests
     */
    public record Parts(Database database, JobEvents events, Backends backends, PromptStyles styles, ImageStores stores,
            Settings.Images limits, Duration lease, Tracing tracing) {}

    /** Who is let in, and how much each may ask for. */
    public record Access(Authenticator authenticator, ApiSettings limits) {}

    /**
     * Starts to listen.
     *
     * @param observers health and metrics, under {@code /observe}
     */
    public static ApiServer start(Settings.Server settings, Parts parts, Access access, List<Observer> observers) {
        var server = WebServer.builder();
        var draining = new Draining();
        configure(server, settings, parts, access, observers, draining);
        var built = server.build();
        // The server logs why it cannot listen, but does not throw.
        if (!built.start().isRunning()) {
            throw new UncheckedIOException("cannot listen on " + settings.host() + ":" + settings.port()
                    + ": set server.host (SERVER_HOST) to an address of this machine and server.port (SERVER_PORT) to"
                    + " a free port", new BindException());
        }
        return new ApiServer(built, draining);
    }

    /** Everything about the server but its start. */
    static void configure(WebServerConfig.Builder server, Settings.Server settings, Parts parts, Access access,
            List<Observer> observers, Draining draining) {
        var routing = HttpRouting.builder();
        routing.addFilter(new RequestSpans(parts.tracing()));
        routing.addFilter(draining::tell);
        routing.addFilter(Framing::check);
        RateLimit.of(access.limits().addressRate(), "this address")
                .ifPresent(limit -> routing.addFilter(new AddressLimit(limit)));
        settings.names().ifPresent(names -> routing.addFilter(new HostNames(names)));
        if (settings.api()) {
            routes(parts, access)
                    .forEach(route -> routing.register(route.path(), NamedRoutes.of(route.path(), route.service())));
            routing.register("/", NamedRoutes.of("/", new PageService(parts.stores().linkOrigins())));
        }
        routing.addFilter((chain, request, response) -> {
            AnswerHeaders.set(response.headers());
            Framing.announceEnd(request.headers(), response.headers());
            chain.proceed();
        });
        routing.addFilter(new Origins(settings.origins()));
        routing.addFilter(PathParameters::refuse);
        routing.addFilter(QueryParameters::checkEncoding);
        Problems.register(routing);
        long longest = Math.max(Json.MAX_BODY_BYTES, parts.limits().bytes());
        server.host(settings.host()).port(settings.port()).routing(routing).directHandlers(Problems.beforeRouting())
                // Helidon's own check of queries refuses colons (RFC 3986 allows them), and so every time.
                .addConnectionSelector(new PatientConnections(Http1Config.builder().validatePrologue(false).build(),
                        settings.timeout(), longest + HEADERS, draining))
                // It would add Helidon's own selector, whose connections wait for ever.
                .protocolsDiscoverServices(false).maxTcpConnections(settings.connections())
                // Each route has its own limit, and says more when it is passed.
                .maxPayloadSize(2 * longest).idleConnectionTimeout(LONGEST_STREAM).shutdownHook(false)
                // None: what is written comes whole or in large pieces, and a stream would hold 4 KiB for as long as it lasts.
                .writeBufferSize(0)
                // Nagle would hold an event back until the one before it is acknowledged.
                .connectionOptions(SocketOptions.builder().tcpNoDelay(true).build())
                .shutdownGracePeriod(settings.timeout()).featuresDiscoverServices(false)
                .addFeature(OpenApiFeature.create())
                .addFeature(ObserveFeature.builder().observersDiscoverServices(false).observers(observers).build());
    }

    /** @param path goes before the paths of the service's own routes */
    record Route(String path, HttpService service) {}

    /** The services of the REST API, in the order in which requests are matched. */
    static List<Route> routes(Parts parts, Access access) {
        var authenticator = LimitedAuthenticator.of(access.authenticator(),
                RateLimit.of(access.limits().ownerRate(), "this owner"));
        var slots = new StreamSlots(access.limits().streams());
        var jobs = new OwnedJobs(parts.database());
        var reader = new NewJobReader(new RequestResolver(parts.styles(), parts.backends()),
                new LiveWorkers(parts.database())::offer, new InputImages(parts.database())::has);
        var images = new OwnedImages(parts.database());
        var limits = new ImageLimits(parts.limits());
        var upload = new ImageUpload(images, parts.stores().current(), limits);
        var stored = new StoredImages(parts.stores());
        var thumbnails = new Thumbnails(parts.database(), stored, limits);
        return List.of(
                // Before /jobs/{id}: "events" is no id.
                new Route("/jobs", new JobEventsService(jobs, parts.events(), authenticator, slots)),
                new Route("/jobs", new JobsService(jobs, reader, parts.events(), authenticator)),
                new Route("/images", new ImagesService(images, upload, authenticator)),
                new Route("/images", new ImageBytesService(images, stored, thumbnails, authenticator)),
                new Route("/me", new MeService(authenticator)),
                new Route("/tickets", new TicketsService(new Tickets(parts.database()), authenticator)),
                new Route("/usage", new UsageService(parts.database(), authenticator)),
                new Route("/workers", new WorkersService(new Workers(parts.database(), parts.lease()), authenticator)),
                new Route("/queue",
                        new QueueService(new QueueDepths(parts.database(), parts.backends().names().getFirst()),
                                new QueueHistory(parts.database()), new QueueFailures(parts.database()),
                                authenticator)),
                new Route("/queue", new ManyJobsService(new ManyJobs(parts.database()), authenticator)),
                new Route("/", new PauseService(new QueueControl(parts.database()), authenticator)),
                new Route("/", new CatalogService(parts.backends(), parts.styles(), authenticator)));
    }

    /** The port that it listens on. */
    public int port() {
        return server.port();
    }

    /** Goes on, and with each answer asks its client to open another connection for the next request. */
    public void drain() {
        draining.begin();
    }

    /** Stops accepting, and gives requests under way the time that a slow client has. */
    @Override
    public void close() {
        draining.begin();
        server.stop();
    }
}
