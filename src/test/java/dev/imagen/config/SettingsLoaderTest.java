package dev.imagen.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.testing.LogRecords;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsLoaderTest {

    @TempDir
    private Path home;

    private static BackendSettings oneAtATime() {
        return new BackendSettings(Optional.of(1), Optional.empty(), Optional.empty(), Optional.empty());
    }

    @Test
    void defaults_load() {
        var settings = load();
        assertThat(settings.server()).isEqualTo(new Settings.Server("127.0.0.1", 8080, true, Duration.ofSeconds(30),
                Duration.ZERO, 10_000, Set.of(), Optional.of(Set.of("127.0.0.1"))));
        assertThat(settings.auth().owner()).isEqualTo(UUID.fromString("00000000-0000-4000-8000-000000000001"));
        assertThat(settings.jsonLogs()).isFalse();
        assertThat(settings.tracing()).isEqualTo(new Settings.Tracing(Optional.empty(), 1.0));
        assertThat(settings.database().connection()).isEmpty();
        assertThat(settings.database().listen()).isTrue();
        assertThat(settings.worker())
                .isEqualTo(new WorkerSettings(true, 4, Duration.ofSeconds(5), Duration.ofMinutes(5),
                        Duration.ofMinutes(5), Duration.ofSeconds(15), Duration.ofSeconds(60), Duration.ofSeconds(4),
                        Map.of("mock", BackendSettings.NONE, "openai", BackendSettings.NONE, "replicate",
                                BackendSettings.NONE, "gemini", BackendSettings.NONE, "fal", BackendSettings.NONE,
                                "automatic1111", oneAtATime(), "comfyui", oneAtATime())));
        assertThat(settings.retention())
                .isEqualTo(new Settings.Retention(Optional.empty(), Optional.empty(), Duration.ofMinutes(10)));
        assertThat(settings.images()).isEqualTo(new Settings.Images(64 << 20, 100_000_000));
        assertThat(settings.backends().defaultName()).isEqualTo("mock");
        assertThat(settings.mock()).isEqualTo(new Settings.Mock(Duration.ZERO, 0.0));
        assertThat(settings.styles()).containsKeys("photo", "ink", "logo");
    }

    @Test
    void the_log_is_text_or_json() {
        assertThat(load("log.format", "json").jsonLogs()).isTrue();
        assertThatThrownBy(() -> load("log.format", "xml")).isInstanceOf(SettingsException.class)
                .hasMessageContaining("log.format (LOG_FORMAT)").hasMessageContaining("json");
    }

    @Test
    void a_lease_is_renewed_five_times_and_given_up_after_two_thirds() {
        assertThat(load().worker().renewal()).isEqualTo(Duration.ofSeconds(3));
        assertThat(load().worker().selfStop()).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void only_where_its_address_alone_guards_the_server_is_it_known_what_it_is_called() {
        assertThat(load("server.names", "images.example.com, imagen").server().names())
                .contains(Set.of("127.0.0.1", "images.example.com", "imagen"));
        assertThat(load("server.host", "0.0.0.0", "auth.open", "true").server().names()).isEmpty();
        assertThat(load("server.host", "0.0.0.0", "auth.open", "true", "server.names", "imagen").server().names())
                .contains(Set.of("0.0.0.0", "imagen"));
        assertThat(load("auth.mode", "keys").server().names()).isEmpty();
        assertThatThrownBy(() -> load("auth.mode", "keys", "server.names", "imagen"))
                .hasMessageContaining("server.names (SERVER_NAMES) is set, but only in auth.mode (AUTH_MODE) none");
    }

    @Test
    void tokens_are_checked_with_a_secret_or_with_published_keys() {
        var settings = load("auth.mode", "jwt", "auth.jwt.secret", "0123456789abcdef0123456789abcdef", "auth.jwt.jwks",
                "https://id.example.com/keys", "auth.jwt.audience", "authenticated", "server.host", "0.0.0.0");
        var jwt = settings.auth().jwt().orElseThrow();
        assertThat(jwt.secret()).contains(new Secret("0123456789abcdef0123456789abcdef"));
        assertThat(jwt.jwks()).contains(URI.create("https://id.example.com/keys"));
        assertThat(jwt.audience()).contains("authenticated");
        assertThat(jwt.issuer()).isEmpty();
        assertThat(settings.toString()).doesNotContain("0123456789abcdef");
        assertThat(settings.api().streams()).contains(100);
    }

    @Test
    void a_secret_may_stand_in_a_file() throws IOException {
        var file = Files.writeString(home.resolve("secret"), "fedcba9876543210fedcba9876543210\n");
        var settings = load("auth.mode", "jwt", "auth.jwt.secret", "file:" + file);
        assertThat(settings.auth().jwt().orElseThrow().secret().orElseThrow().value())
                .isEqualTo("fedcba9876543210fedcba9876543210");
        Files.delete(file);
        assertThatThrownBy(() -> load("auth.mode", "jwt", "auth.jwt.secret", "file:" + file))
                .hasMessageContaining("auth.jwt.secret (AUTH_JWT_SECRET) names the file " + file
                        + ", which cannot be read: make it readable");
        Files.writeString(file, " \n");
        assertThatThrownBy(() -> load("auth.mode", "jwt", "auth.jwt.secret", "file:" + file))
                .hasMessage("auth.jwt.secret (AUTH_JWT_SECRET) names the file " + file + ", which is empty");
    }

    @Test
    void a_token_setting_that_cannot_work_is_refused_without_showing_the_secret() {
        assertThatThrownBy(() -> load("auth.mode", "jwt", "auth.jwt.secret", "swordfish"))
                .hasMessage("auth.jwt.secret (AUTH_JWT_SECRET) has 9 bytes, must have at least 32");
        for (String url : new String[]{"x", "ftp://id.example.com/keys", "https:///keys", "a b",
                "https://me:swordfish@id.example.com/keys"}) {
            assertThatThrownBy(() -> load("auth.mode", "jwt", "auth.jwt.jwks", url))
                    .hasMessageContaining("auth.jwt.jwks (AUTH_JWT_JWKS) must be a URL such as")
                    .hasMessageNotContaining("swordfish");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            server.port        | 70000           | server.port (SERVER_PORT) is 70000, must be from 0 to 65535
            server.port        | -1              | must be from 0 to 65535
            server.port        | http            | server.port (SERVER_PORT) is 'http', must be a whole number from 0 to 65535
            server.host        | ''              | server.host (SERVER_HOST) must not be empty
            server.host        | 0.0.0.0         | server.host (SERVER_HOST) is 0.0.0.0
            server.host        | 0.0.0.0         | or auth.open (AUTH_OPEN) to true
            server.host        | no.such.invalid | server.host (SERVER_HOST): unknown host no.such.invalid
            api.enabled        | yes             | api.enabled (API_ENABLED) is 'yes', must be true or false
            server.timeout     | PT0.5S          | server.timeout (SERVER_TIMEOUT) is PT0.5S, must be from PT1S to PT10M
            server.drain       | PT6M            | server.drain (SERVER_DRAIN) is PT6M, must be from PT0S to PT5M
            server.connections | 0               | server.connections (SERVER_CONNECTIONS) is 0, must be from 1 to 1000000
            api.origins        | *               | api.origins (API_ORIGINS) has '*', must be a list of origins such as https://app.example.com
            api.origins        | https://a.example,null | api.origins (API_ORIGINS) has 'null', must be a list
            api.origins        | https://a.example/     | has 'https://a.example/', must be a list
            api.origins        | https://A.example      | has 'https://A.example', must be a list
            api.origins        | a.example       | has 'a.example', must be a list
            api.origins        | https://a.example:443  | without the port 443 of https
            api.origins        | https://*.a.example    | and without *
            auth.mode          | ldap            | auth.mode (AUTH_MODE) is 'ldap', must be none
            auth.mode          | jwt             | set auth.jwt.jwks (AUTH_JWT_JWKS) to the URL
            auth.jwt.secret    | short           | auth.jwt.secret (AUTH_JWT_SECRET) is set, but no token is checked while auth.mode (AUTH_MODE) is none
            auth.jwt.jwks      | x               | auth.jwt.jwks (AUTH_JWT_JWKS) is set, but no token is checked
            api.streams        | 0               | api.streams (API_STREAMS) is 0, must be from 1 to 1000000
            api.rate.owner     | 0               | api.rate.owner (API_RATE_OWNER) is 0, must be from 1 to 1000000
            api.rate.address   | many            | api.rate.address (API_RATE_ADDRESS) is 'many', must be a whole number
            server.names       | Images          | server.names (SERVER_NAMES) has 'Images', must be a list of names
            server.names       | a:80            | server.names (SERVER_NAMES) has 'a:80', must be a list of names
            auth.owner         | me              | auth.owner (AUTH_OWNER) is 'me', must be a uuid
            db.timeout         | PT0.5S          | db.timeout (DB_TIMEOUT) is PT0.5S, must be from PT1S to PT10M
            db.pool            | 1               | db.pool (DB_POOL) is 1, must be from 2 to 1000
            db.connection.url  | postgres://x/y  | db.connection.url (DB_CONNECTION_URL) must begin with jdbc:postgresql:
            db.migration.url   | jdbc:postgresql://x/y | db.connection.url (DB_CONNECTION_URL) must be set
            db.migration.username | owner        | db.connection.url (DB_CONNECTION_URL) must be set
            db.listener.url    | jdbc:postgresql://x/y | db.connection.url (DB_CONNECTION_URL) must be set
            db.listener.mode   | push            | db.listener.mode (DB_LISTENER_MODE) is 'push', must be listen or poll
            worker.concurrency | 0               | worker.concurrency (WORKER_CONCURRENCY) is 0, must be from 1 to 10000
            worker.poll        | PT0S            | worker.poll (WORKER_POLL) is PT0S, must be from PT0.1S to PT5M
            worker.poll        | 5s              | worker.poll (WORKER_POLL) is '5s', must be a duration such as PT5S
            worker.timeout     | PT25H           | worker.timeout (WORKER_TIMEOUT) is PT25H, must be from PT1S to PT24H
            worker.grace       | PT-1S           | worker.grace (WORKER_GRACE) is PT-1S, must be from PT0S to PT24H
            worker.lease       | PT1S            | worker.lease (WORKER_LEASE) is PT1S, must be from PT3S to PT10M
            worker.unknown     | PT0S            | worker.unknown (WORKER_UNKNOWN) is PT0S, must be from PT1S to PT24H
            worker.backoff     | PT0S            | worker.backoff (WORKER_BACKOFF) is PT0S, must be from PT0.001S to PT1H
            backends.mock.concurrency | 0        | backends.mock.concurrency (BACKENDS_MOCK_CONCURRENCY) is 0, must be from 1 to 10000
            backends.mock.slots | 10001          | backends.mock.slots (BACKENDS_MOCK_SLOTS) is 10001, must be from 1 to 10000
            backends.mock.timeout | PT0S         | backends.mock.timeout (BACKENDS_MOCK_TIMEOUT) is PT0S, must be from PT1S to PT24H
            backends.mock.backoff | soon         | backends.mock.backoff (BACKENDS_MOCK_BACKOFF) is 'soon', must be a duration
            queue.order        | lifo            | queue.order (QUEUE_ORDER) is 'lifo', must be fifo or fair
            queue.limit        | -1              | queue.limit (QUEUE_LIMIT) is -1, must be from 0 to 10000000
            queue.budget       | -1              | queue.budget (QUEUE_BUDGET) is -1, must be from 0 to 10000000
            queue.budget       | 0.0000001       | must be from 0 to 10000000 with at most six decimals
            queue.budget       | much            | queue.budget (QUEUE_BUDGET) is 'much', must be an amount such as 12.50
            storage.kind       | tape            | storage.kind (STORAGE_KIND) is 'tape', must be file or supabase or s3
            storage.kind       | supabase        | storage.supabase.url (STORAGE_SUPABASE_URL) must be set where storage.kind is supabase
            storage.kind       | s3              | storage.s3.key (STORAGE_S3_KEY) must be set where storage.kind is s3
            storage.supabase.url | https://h     | storage.supabase.key (STORAGE_SUPABASE_KEY) must be set where storage.supabase.url is
            storage.supabase.key | k             | storage.supabase.url (STORAGE_SUPABASE_URL) must be set where storage.supabase.key is
            storage.s3.key     | k               | storage.s3.secret (STORAGE_S3_SECRET) must be set where storage.s3.key is
            storage.s3.endpoint | https://h      | storage.s3.key (STORAGE_S3_KEY) must be set where storage.s3.endpoint is
            storage.links      | PT9S            | storage.links (STORAGE_LINKS) is PT9S, must be from PT10S to PT168H
            storage.links      | P8D             | storage.links (STORAGE_LINKS) is PT192H, must be from PT10S to PT168H
            images.bytes       | 1023            | images.bytes (IMAGES_BYTES) is 1023, must be from 1024 to 1073741824
            images.pixels      | 1000000001      | images.pixels (IMAGES_PIXELS) is 1000000001, must be from 256 to 1000000000
            retention.jobs     | PT59M           | retention.jobs (RETENTION_JOBS) is PT59M, must be from PT1H to PT87600H
            retention.jobs     | P3651D          | retention.jobs (RETENTION_JOBS) is PT87624H, must be from PT1H to PT87600H
            retention.jobs     | P1Y             | retention.jobs (RETENTION_JOBS) is 'P1Y', must be a duration such as PT5S, PT5M or P30D
            retention.images   | PT59M           | retention.images (RETENTION_IMAGES) is PT59M, must be from PT1H to PT87600H
            retention.every    | PT0.5S          | retention.every (RETENTION_EVERY) is PT0.5S, must be from PT1S to PT24H
            retention.every    | PT25H           | retention.every (RETENTION_EVERY) is PT25H, must be from PT1S to PT24H
            retention.every    | ''              | retention.every (RETENTION_EVERY) must not be empty
            mock.delay         | PT2H            | mock.delay (MOCK_DELAY) is PT2H, must be from PT0S to PT1H
            mock.failures      | 1.5             | mock.failures (MOCK_FAILURES) is 1.5, must be from 0.0 to 1.0
            mock.failures      | NaN             | mock.failures (MOCK_FAILURES) is NaN, must be from 0.0 to 1.0
            tracing.ratio      | 1.1             | tracing.ratio (TRACING_RATIO) is 1.1, must be from 0.0 to 1.0
            tracing.endpoint   | collector:4318  | tracing.endpoint (TRACING_ENDPOINT) must be a URL such as https://host
            tracing.endpoint   | http://u:p@host | tracing.endpoint (TRACING_ENDPOINT) must be a URL such as https://host
            mock.failures      | half            | mock.failures (MOCK_FAILURES) is 'half', must be a number from 0.0 to 1.0
            styles.ink.width   | 8               | styles.ink.width (STYLES_INK_WIDTH) is 8, must be from 16 to 8192
            imagen.config      | no-such-file    | imagen.config (IMAGEN_CONFIG): no readable file no-such-file
            """)
    void a_value_that_cannot_work_is_refused_by_key_environment_name_and_limit(String key, String value,
            String message) {
        assertThatThrownBy(() -> load(key, value)).isInstanceOf(SettingsException.class).hasMessageContaining(message);
    }

    @Test
    void origins_are_separated_by_commas() {
        assertThat(load("api.origins", "https://a.example, http://localhost:3000,http://[::1]:8443").server().origins())
                .containsExactly("https://a.example", "http://localhost:3000", "http://[::1]:8443");
    }

    @Test
    void what_is_set_for_a_backend_goes_before_what_is_set_for_the_worker() {
        var worker = load("backends.mock.slots", "2", "backends.mock.concurrency", "3", "backends.mock.timeout", "PT1M",
                "backends.mock.backoff", "PT2S").worker();
        assertThat(worker.slots("mock")).isEqualTo(2);
        assertThat(worker.slots("another")).isEqualTo(4);
        assertThat(worker.backend("mock").concurrency()).contains(3);
        assertThat(worker.timeout("mock")).isEqualTo(Duration.ofMinutes(1));
        assertThat(worker.timeout("another")).isEqualTo(Duration.ofMinutes(5));
        assertThat(worker.backoff("mock")).isEqualTo(Duration.ofSeconds(2));
        assertThat(worker.backoff("another")).isEqualTo(Duration.ofSeconds(4));
    }

    @ParameterizedTest
    @CsvSource({"localhost", "127.0.0.1", "::1"})
    void loopback_addresses_need_no_leave(String host) {
        assertThat(load("server.host", host).server().host()).isEqualTo(host);
    }

    @Test
    void auth_open_lets_the_server_listen_beyond_loopback() {
        assertThat(load("server.host", "0.0.0.0", "auth.open", "true").server().host()).isEqualTo("0.0.0.0");
    }

    @Test
    void what_is_done_with_may_be_kept_from_an_hour_to_ten_years() {
        var retention = load("retention.jobs", "PT1H", "retention.images", "P3650D").retention();
        assertThat(retention.jobs()).contains(Duration.ofHours(1));
        assertThat(retention.images()).contains(Duration.ofDays(3650));
    }

    @Test
    void a_tilde_at_the_beginning_of_home_is_the_users_folder() {
        var user = Path.of(System.getProperty("user.home")).toAbsolutePath().normalize();
        assertThat(load("imagen.home", "~/no such folder").home()).isEqualTo(user.resolve("no such folder"));
        assertThat(load("imagen.home", "no/~").home()).isEqualTo(Path.of("no/~").toAbsolutePath());
    }

    @Test
    void the_users_file_overrides_the_defaults_and_overrides_beat_it() throws IOException {
        write("server:\n  port: 9000\nworker:\n  concurrency: 2\n");
        var settings = load("server.port", "9001");
        assertThat(settings.worker().concurrency()).isEqualTo(2);
        assertThat(settings.server().port()).isEqualTo(9001);
        assertThat(settings.mock().delay()).isZero();
    }

    @Test
    void a_named_file_is_read_instead_of_the_one_in_home() throws IOException {
        write("server:\n  port: 9000\n");
        var named = Files.writeString(home.resolve("other.yaml"), "server:\n  port: 9002\n");
        assertThat(load("imagen.config", named.toString()).server().port()).isEqualTo(9002);
    }

    @Test
    void an_unknown_key_in_the_users_file_is_refused_with_the_files_name() throws IOException {
        write("worker:\n  concurency: 2\n");
        assertThatThrownBy(this::load).isInstanceOf(SettingsException.class)
                .hasMessage(home.resolve("imagen.yaml") + ": unknown setting worker.concurency");
    }

    @Test
    void a_style_of_the_users_own_joins_the_others() throws IOException {
        write("styles:\n  linocut:\n    prefix: \"linocut of \"\n    width: 768\n");
        assertThat(load().styles()).containsKey("ink").hasEntrySatisfying("linocut", style -> {
            assertThat(style.prefix()).isEqualTo("linocut of ");
            assertThat(style.suffix()).isEmpty();
            assertThat(style.width()).contains(768);
            assertThat(style.height()).isEmpty();
        });
    }

    @Test
    void a_database_url_with_its_login_is_taken_and_listening_and_migrating_use_it() {
        var database = load("db.connection.url", "jdbc:postgresql://h/d", "db.connection.username", "me",
                "db.connection.password", "secret").database();
        var login = new Login("jdbc:postgresql://h/d", "me", "secret");
        assertThat(database.service()).isEqualTo(login);
        assertThat(database.owner()).isEqualTo(login);
        assertThat(database.listener()).isEqualTo(login);
    }

    @Test
    void a_user_for_migrations_without_a_url_migrates_the_connections_database() {
        var database = load("db.connection.url", "jdbc:postgresql://h/d", "db.connection.username", "me",
                "db.migration.username", "owner", "db.migration.password", "secret").database();
        assertThat(database.owner()).isEqualTo(new Login("jdbc:postgresql://h/d", "owner", "secret"));
    }

    @Test
    void a_listener_url_keeps_the_services_login() {
        var database = load("db.connection.url", "jdbc:postgresql://pooler/d", "db.connection.username", "me",
                "db.listener.url", "jdbc:postgresql://direct/d").database();
        assertThat(database.listener()).isEqualTo(new Login("jdbc:postgresql://direct/d", "me", ""));
    }

    /** The driver itself would log it, as a port that is no number. */
    @ParameterizedTest
    @ValueSource(strings = {"me:hidden@h/d", "me:hidden@h:5432/d", "me:hid/den@h/d", "hidden@h/d?ssl=true"})
    void a_login_within_a_database_url_is_refused_without_being_shown(String url) {
        try (var log = LogRecords.of("org.postgresql.util.PGPropertyUtil")) {
            assertThatThrownBy(() -> load("db.connection.url", "jdbc:postgresql://" + url))
                    .isInstanceOf(SettingsException.class)
                    .hasMessageContaining("db.connection.url (DB_CONNECTION_URL) has a login in it")
                    .hasMessageNotContainingAny("hid", "me:");
            assertThat(log.warnings()).isEmpty();
        }
        assertThat(load("db.connection.url", "jdbc:postgresql://h/d?user=a@b").database().service().url())
                .endsWith("?user=a@b");
    }

    @Test
    void a_login_shown_in_a_message_hides_its_passwords() {
        assertThat(new Login("jdbc:postgresql://h/d?password=hidden", "me", "secret"))
                .hasToString("me@jdbc:postgresql://h/d");
    }

    private Settings load(String... keysAndValues) {
        var overrides = new HashMap<>(Map.of("imagen.home", home.toString()));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            overrides.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return SettingsLoader.load(overrides);
    }

    private void write(String yaml) throws IOException {
        Files.writeString(home.resolve("imagen.yaml"), yaml);
    }
}
