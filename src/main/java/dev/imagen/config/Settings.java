package dev.imagen.config;

import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Everything that can be set, parsed and validated once at start. {@code application.yaml} lists each key with its
 * default, unit and environment name.
 *
 * @param home folder of the embedded server and of image files, absolute
 * @param jsonLogs whether each line of the log is a JSON object
 * @param styles prompt styles by name
 */
public record Settings(Path home, boolean jsonLogs, Tracing tracing, Server server, AuthSettings auth, ApiSettings api,
        DatabaseSettings database, Queue queue, WorkerSettings worker, StorageSettings storage, Images images,
        Retention retention, Backends backends, Mock mock, Map<String, Style> styles) {

    /**
     * @param endpoint of a collector that takes OTLP over HTTP; empty: there are no traces
     * @param ratio share of the traces that begin here which are recorded, 0.0 to 1.0
     */
    public record Tracing(Optional<URI> endpoint, double ratio) {}

    /**
     * @param host address to listen on
     * @param port TCP port; 0: any free one
     * @param api whether the REST API is served; health and metrics always are
     * @param timeout for a request to arrive whole, and for a client to take a piece of an answer
     * @param drain how long it goes on when the process is told to stop
     * @param connections open at a time; further ones wait
     * @param origins whose web pages may use the API, such as {@code https://app.example.com}
     * @param names that requests may call it by (Host), besides addresses and localhost; empty: any
     */
    public record Server(String host, int port, boolean api, Duration timeout, Duration drain, int connections,
            Set<String> origins, Optional<Set<String>> names) {}

    /**
     * @param fair whether owners take turns within a priority; otherwise the oldest job goes first
     * @param limit pending jobs that an owner may have at a time, 0: any number; empty: what the database has stays
     * @param budget US dollars that an owner may spend in a month, 0: any amount; empty: what the database has stays
     */
    public record Queue(boolean fair, Optional<Integer> limit, Optional<BigDecimal> budget) {}

    /**
     * What is taken from a backend or an owner at most.
     *
     * @param bytes size of the encoded file
     * @param pixels width times height
     */
    public record Images(long bytes, long pixels) {}

    /**
     * How long what is done with is kept; empty: for ever.
     *
     * @param jobs age of a finished job, since its end
     * @param images age of an image, since it was made
     * @param every how often what is due is removed, by one of all processes
     */
    public record Retention(Optional<Duration> jobs, Optional<Duration> images, Duration every) {}

    /**
     * @param defaultName the backend of jobs that name none
     * @param remote those that are set up, by name, each with its servers
     * @param offers how each is offered, the mock as well
     * @param workflows the folder with those of ComfyUI
     */
    public record Backends(String defaultName, Map<String, List<RemoteBackendSettings>> remote,
            Map<String, OfferSettings> offers, Optional<Path> workflows) {}

    /**
     * @param delay time for one picture
     * @param failures share of attempts that fail, 0.0 to 1.0
     */
    public record Mock(Duration delay, double failures) {}
}
