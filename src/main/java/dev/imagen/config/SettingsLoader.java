package dev.imagen.config;

import io.helidon.common.media.type.MediaTypes;
import io.helidon.config.Config;
import io.helidon.config.ConfigSources;
import io.helidon.config.spi.ConfigSource;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.postgresql.Driver;

/** Reads {@link Settings} from, in this order, system properties, the environment, the user's file and the defaults. */
public final class SettingsLoader {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final BigDecimal MOST_DOLLARS = new BigDecimal(10_000_000);
    private static final int STREAMS = 100;
    private static final Duration TEN_YEARS = Duration.ofDays(3650);

    private final Keys keys;

    private SettingsLoader(Keys keys) {
        this.keys = keys;
    }

    /** The settings of this process. @throws SettingsException naming the key and the limit */
    public static Settings load() {
        return load(List.of(ConfigSources.systemProperties().build(), ConfigSources.environmentVariables()));
    }

    /** The defaults with these overrides and nothing else. @throws SettingsException naming the key and the limit */
    public static Settings load(Map<String, String> overrides) {
        return load(List.of(ConfigSources.create(overrides).build()));
    }

    private static Settings load(List<ConfigSource> overrides) {
        var defaults = ConfigSources.classpath("application.yaml").build();
        var keys = keys(overrides, defaults);
        return new SettingsLoader(userFile(keys).map(file -> keys(overrides, file, defaults)).orElse(keys)).settings();
    }

    private static Keys keys(List<ConfigSource> overrides, Path file, ConfigSource defaults) {
        var user = ConfigSources.file(file).mediaType(MediaTypes.APPLICATION_X_YAML).build();
        Keys.refuseUnknown(Config.just(() -> user), Config.just(() -> defaults), file);
        var sources = new ArrayList<>(overrides);
        sources.add(user);
        return keys(sources, defaults);
    }

    private static Keys keys(List<ConfigSource> overrides, ConfigSource defaults) {
        var builder = Config.builder().disableEnvironmentVariablesSource().disableSystemPropertiesSource();
        overrides.forEach(builder::addSource);
        return new Keys(builder.addSource(defaults).build());
    }

    private static Optional<Path> userFile(Keys keys) {
        Optional<Path> named = keys.optional("imagen.config").map(Path::of);
        if (named.isPresent() && !Files.isReadable(named.get())) {
            throw new SettingsException("imagen.config (IMAGEN_CONFIG): no readable file " + named.get());
        }
        return named.or(() -> Optional.of(home(keys).resolve("imagen.yaml")).filter(Files::isReadable));
    }

    private static Path home(Keys keys) {
        var home = keys.text("imagen.home");
        var expanded = home.equals("~") || home.startsWith("~/")
                ? System.getProperty("user.home") + home.substring(1)
                : home;
        return Path.of(expanded).toAbsolutePath().normalize();
    }

    private Settings settings() {
        var access = new AuthSettingsReader(keys);
        var auth = access.read();
        return new Settings(home(keys), keys.oneOf("log.format", "text", "json").equals("json"), tracing(),
                server(access.names(auth.mode())), auth, api(auth.mode()), database(), queue(), worker(),
                new StorageLoader(keys).storage(), images(), retention(), new BackendsLoader(keys).backends(),
                new Settings.Mock(keys.duration("mock.delay", Duration.ZERO, Duration.ofHours(1)),
                        keys.fraction("mock.failures")),
                styles());
    }

    private Settings.Tracing tracing() {
        return new Settings.Tracing(keys.optional("tracing.endpoint").map(_ -> keys.url("tracing.endpoint")),
                keys.fraction("tracing.ratio"));
    }

    private Settings.Server server(Optional<Set<String>> names) {
        return new Settings.Server(keys.text("server.host"), (int) keys.whole("server.port", 0, 65535),
                keys.flag("api.enabled"), keys.duration("server.timeout", SECOND, Duration.ofMinutes(10)),
                keys.duration("server.drain", Duration.ZERO, Duration.ofMinutes(5)),
                (int) keys.whole("server.connections", 1, 1_000_000), keys.origins("api.origins"), names);
    }

    private ApiSettings api(AuthSettings.Mode mode) {
        var streams = keys.optional("api.streams").map(_ -> (int) keys.whole("api.streams", 1, 1_000_000))
                .or(() -> mode == AuthSettings.Mode.NONE ? Optional.empty() : Optional.of(STREAMS));
        return new ApiSettings(streams, rate("api.rate.owner"), rate("api.rate.address"));
    }

    private Optional<Integer> rate(String key) {
        return keys.optional(key).map(_ -> (int) keys.whole(key, 1, 1_000_000));
    }

    private DatabaseSettings database() {
        var connection = login("db.connection");
        var migration = login("db.migration").or(this::migrationUser);
        if (connection.isEmpty() && (migration.isPresent() || keys.optional("db.listener.url").isPresent())) {
            throw new SettingsException("db.connection.url (DB_CONNECTION_URL) must be set where db.migration.url or"
                    + " db.listener.url is");
        }
        boolean pooler = keys.flag("db.pooler");
        if (connection.isEmpty() && (pooler || keys.optional("db.connection.username").isPresent()
                || keys.optional("db.connection.password").isPresent())) {
            throw new SettingsException("db.connection.url (DB_CONNECTION_URL) must be set where db.pooler,"
                    + " db.connection.username or db.connection.password is");
        }
        if (pooler && keys.optional("db.listener.url").isEmpty()
                && keys.oneOf("db.listener.mode", "listen", "poll").equals("listen")) {
            throw new SettingsException("db.pooler (DB_POOLER) is true, and LISTEN does not work through a pooler: set"
                    + " db.listener.url (DB_LISTENER_URL) to a direct URL, or db.listener.mode (DB_LISTENER_MODE) to poll");
        }
        return new DatabaseSettings(connection, migration, keys.flag("db.migration.enabled"),
                keys.optional("db.listener.url").map(url -> jdbc("db.listener.url", url)),
                keys.oneOf("db.listener.mode", "listen", "poll").equals("listen"), keys.flag("db.pooler"),
                (int) keys.whole("db.pool", 2, 1000), keys.duration("db.timeout", SECOND, Duration.ofMinutes(10)));
    }

    private Optional<Login> login(String prefix) {
        return keys.optional(prefix + ".url").map(url -> new Login(jdbc(prefix + ".url", url),
                keys.optional(prefix + ".username").orElse(""), password(prefix + ".password")));
    }

    /** Another login on the connection's URL. */
    private Optional<Login> migrationUser() {
        return keys.optional("db.migration.username")
                .map(user -> new Login(keys.optional("db.connection.url").orElse(""), user,
                        password("db.migration.password")));
    }

    private String password(String key) {
        return keys.secret(key).map(Secret::value).orElse("");
    }

    private static String jdbc(String key, String url) {
        if (!url.startsWith("jdbc:postgresql:")) {
            throw new SettingsException(Keys.named(key) + " must begin with jdbc:postgresql:");
        }
        // Before the driver sees it: that would log the password as a host or a port that it does not know.
        if (url.matches("jdbc:postgresql:[^?]*@.*")) {
            throw new SettingsException(Keys.named(key) + " has a login in it, which would show in logs: leave out all"
                    + " from // to @, and set the username and the password beside the URL");
        }
        if (Driver.parseURL(url, null) == null) {
            throw new SettingsException(
                    Keys.named(key) + " must have the form jdbc:postgresql://host:port/database?parameters");
        }
        return url;
    }

    private Settings.Queue queue() {
        return new Settings.Queue(keys.oneOf("queue.order", "fifo", "fair").equals("fair"),
                keys.optional("queue.limit").map(_ -> (int) keys.whole("queue.limit", 0, 10_000_000)),
                keys.optional("queue.budget").map(_ -> keys.dollars("queue.budget", MOST_DOLLARS)));
    }

    private WorkerSettings worker() {
        return new WorkerSettings(keys.flag("worker.enabled"), (int) keys.whole("worker.concurrency", 1, 10_000),
                keys.duration("worker.poll", Duration.ofMillis(100), Duration.ofMinutes(5)),
                keys.duration("worker.timeout", SECOND, DAY), keys.duration("worker.grace", Duration.ZERO, DAY),
                keys.duration("worker.lease", Duration.ofSeconds(3), Duration.ofMinutes(10)),
                keys.duration("worker.unknown", SECOND, DAY),
                keys.duration("worker.backoff", BackendsLoader.SHORTEST_BACKOFF, BackendsLoader.LONGEST_BACKOFF),
                new BackendsLoader(keys).work());
    }

    private Settings.Images images() {
        return new Settings.Images(keys.whole("images.bytes", 1024, 1 << 30),
                keys.whole("images.pixels", 256, 1_000_000_000));
    }

    private Settings.Retention retention() {
        return new Settings.Retention(keys.optionalDuration("retention.jobs", Duration.ofHours(1), TEN_YEARS),
                keys.optionalDuration("retention.images", Duration.ofHours(1), TEN_YEARS),
                keys.duration("retention.every", SECOND, DAY));
    }

    private Map<String, Style> styles() {
        var styles = new TreeMap<String, Style>();
        for (String name : keys.children("styles")) {
            var key = "styles." + name + ".";
            styles.put(name, new Style(keys.raw(key + "prefix"), keys.raw(key + "suffix"), keys.raw(key + "negative"),
                    side(key + "width"), side(key + "height")));
        }
        return Map.copyOf(styles);
    }

    private Optional<Integer> side(String key) {
        return keys.optional(key).map(_ -> (int) keys.whole(key, 16, 8192));
    }
}
