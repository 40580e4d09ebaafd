package dev.imagen.backend.automatic1111;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpServer;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Size;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.Automatic1111Server;
import dev.imagen.testing.Automatic1111Server.Kind;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a server has, before and after it was asked. */
@Timeout(60)
class CatalogTest {

    private final RemoteHttp http = new RemoteHttp();
    private Automatic1111Server server;

    @BeforeEach
    void start() throws Exception {
        server = Automatic1111Server.start();
    }

    @AfterEach
    void stop() {
        http.close();
        server.close();
    }

    private Automatic1111Backend backend(URI url, String key, String... models) {
        return new Automatic1111Backend(
                new RemoteBackendSettings(Optional.of(url), Optional.of(new Secret(key)), List.of(models)), http,
                100_000, Duration.ofSeconds(30));
    }

    private BackendInfo probed(String... models) throws Exception {
        var backend = backend(server.url(), Automatic1111Server.KEY, models);
        backend.probe();
        return backend.info();
    }

    @Test
    void the_loaded_model_comes_first_and_then_those_of_the_server() throws Exception {
        assertThat(backend(server.url(), Automatic1111Server.KEY).info().models()).containsExactly("loaded");
        assertThat(probed().models()).containsExactly("loaded", "dreamer_v8", "painter_xl");
        assertThat(probed().sizesOf("painter_xl").nearest(new Size(1001, 700))).hasToString("1000x696");
    }

    @Test
    void any_model_may_be_named_as_long_as_the_server_has_not_answered() throws Exception {
        assertThat(backend(server.url(), Automatic1111Server.KEY).info().offers("painter_xl")).isTrue();
        assertThat(backend(server.url(), Automatic1111Server.KEY, "a").info().offers("painter_xl")).isFalse();
        assertThat(probed().offers("sketcher")).isFalse();
    }

    @Test
    void where_the_settings_name_models_there_are_no_others() throws Exception {
        assertThat(probed("painter_xl").models()).containsExactly("painter_xl");
    }

    @Test
    void samplers_and_schedulers_are_any_before_the_server_was_asked_and_then_its_own() throws Exception {
        var before = backend(server.url(), Automatic1111Server.KEY).info();
        assertThat(before.problem("sampler_name", "Magic")).isEmpty();
        assertThat(before.problem("scheduler", "Magic")).isEmpty();
        var after = probed();
        assertThat(after.problem("sampler_name", "Euler a")).isEmpty();
        assertThat(after.problem("sampler_name", "Magic")).contains("must be one of Euler, Euler a, DPM++ 2M");
        assertThat(after.problem("scheduler", "Karras")).isEmpty();
        assertThat(after.problem("scheduler", "Magic")).contains("must be one of Automatic, Karras, SGM Uniform");
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void every_kind_of_server_tells_what_it_has(Kind kind) throws Exception {
        server.as(kind);
        var info = probed();
        assertThat(info.models()).startsWith("loaded", "dreamer_v8");
        assertThat(info.problem("sampler_name", "Magic")).isPresent();
        // SD.Next has none, and heeds none.
        assertThat(info.problem("scheduler", "Magic").isPresent()).isEqualTo(kind != Kind.SDNEXT);
    }

    @Test
    void a_login_that_does_not_work_and_a_server_that_is_away_are_told() throws Exception {
        var failure = catchThrowableOfType(JobFailedException.class, () -> backend(server.url(), "artist:no").probe());
        assertThat(failure).hasMessageContaining("Incorrect username or password; check backends.automatic1111.key");
        server.close();
        assertThat(catchThrowableOfType(JobFailedException.class,
                () -> backend(server.url(), Automatic1111Server.KEY).probe())).hasMessageContaining("no connection to");
    }

    @Test
    void what_was_known_stays_when_the_server_goes() throws Exception {
        var backend = backend(server.url(), Automatic1111Server.KEY);
        backend.probe();
        server.close();
        assertThat(catchThrowableOfType(JobFailedException.class, backend::probe)).isNotNull();
        assertThat(backend.info().models()).contains("painter_xl");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            404 | {"detail": "Not Found"} | {"detail": "Not Found"} | there is no sdapi: the web UI needs the option --api
            200 | []                      | {"detail": "Not Found"} |
            200 | {"models": 7}           | [{"name": 7}, {}, {"name": ""}, 7, null] |
            200 | <html>                  | <html> |
            """)
    void a_list_that_is_not_there_or_is_none_is_no_failure_and_no_api_is_one(int status, String models, String others,
            String told) throws Exception {
        var other = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        other.createContext("/", exchange -> {
            boolean first = exchange.getRequestURI().getPath().endsWith("/sd-models");
            byte[] body = (first ? models : others).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(first || !others.contains("detail") ? status : 404, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        other.start();
        try {
            var backend = backend(URI.create("http://127.0.0.1:" + other.getAddress().getPort()), "a:b");
            var failure = catchThrowableOfType(JobFailedException.class, backend::probe);
            if (told == null) {
                assertThat(failure).isNull();
            } else {
                assertThat(failure).hasMessageContaining(told);
            }
            assertThat(backend.info().models()).containsExactly("loaded");
            assertThat(backend.info().problem("scheduler", "Karras")).isEmpty();
        } finally {
            other.stop(0);
        }
    }
}
