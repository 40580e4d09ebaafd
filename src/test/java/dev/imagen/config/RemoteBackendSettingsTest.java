package dev.imagen.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RemoteBackendSettingsTest {

    @TempDir
    private Path home;

    private Settings load(String... settings) {
        var all = new HashMap<String, String>();
        all.put("imagen.home", home.toString());
        for (int i = 0; i < settings.length; i += 2) {
            all.put(settings[i], settings[i + 1]);
        }
        return SettingsLoader.load(all);
    }

    @Test
    void a_backend_is_off_until_its_url_or_key_is_set_and_the_first_one_is_then_the_default() {
        assertThat(load().backends()).isEqualTo(
                new Settings.Backends("mock", Map.of(), Map.of("mock", OfferSettings.NONE), Optional.empty()));
        assertThat(load("backends.openai.key", "k").backends().remote().get("openai"))
                .containsExactly(new RemoteBackendSettings(Optional.empty(), Optional.of(new Secret("k")), List.of()));
        var local = load("backends.openai.url", "http://localhost:8080/").backends();
        assertThat(local.remote().get("openai").getFirst().url()).contains(URI.create("http://localhost:8080"));
        assertThat(local.defaultName()).isEqualTo("openai");
        assertThat(load("backends.openai.key", "k", "backends.default", "mock").backends().defaultName())
                .isEqualTo("mock");
    }

    @Test
    void the_default_model_stands_before_the_others_and_is_there_once() {
        assertThat(load("backends.openai.key", "k", "backends.openai.model", "b", "backends.openai.models", "a, b ,c")
                .backends().remote().get("openai").getFirst().models()).containsExactly("b", "a", "c");
    }

    @Test
    void a_key_may_be_in_a_file_and_is_shown_to_nobody() throws Exception {
        var file = Files.writeString(home.resolve("key"), "hidden-key\n");
        var settings = load("backends.openai.key", "file:" + file);
        assertThat(settings.backends().remote().get("openai").getFirst().key()).contains(new Secret("hidden-key"));
        assertThat(settings.toString()).doesNotContain("hidden-key");
    }

    @Test
    void its_jobs_may_be_limited_as_those_of_the_mock() {
        var worker = load("backends.openai.slots", "2", "backends.openai.concurrency", "3", "backends.openai.timeout",
                "PT10M", "backends.openai.backoff", "PT1S").worker();
        assertThat(worker.slots("openai")).isEqualTo(2);
        assertThat(worker.backend("openai").concurrency()).contains(3);
        assertThat(worker.timeout("openai")).isEqualTo(Duration.ofMinutes(10));
        assertThat(worker.backoff("openai")).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void a_server_that_draws_one_picture_at_a_time_is_given_one_job_unless_set_otherwise() {
        assertThat(load().worker().backend("automatic1111").concurrency()).contains(1);
        assertThat(load("backends.automatic1111.concurrency", "4").worker().backend("automatic1111").concurrency())
                .contains(4);
        assertThat(load("backends.automatic1111.url", "http://a, http://b").worker().backend("automatic1111")
                .concurrency()).contains(2);
    }

    @Test
    void several_urls_are_several_servers_with_the_same_key_and_models() {
        var servers = load("backends.openai.url", "http://a:1, http://b:2/", "backends.openai.key", "k",
                "backends.openai.model", "m").backends().remote().get("openai");
        assertThat(servers).containsExactly(server("http://a:1"), server("http://b:2"));
    }

    private static RemoteBackendSettings server(String url) {
        return new RemoteBackendSettings(Optional.of(URI.create(url)), Optional.of(new Secret("k")), List.of("m"));
    }

    @Test
    void a_backend_may_have_a_fallback_that_is_set_up_and_not_in_a_circle() {
        assertThat(load("backends.openai.key", "k", "backends.openai.fallback", "mock").backends().offers()
                .get("openai").fallback()).contains("mock");
        assertThatThrownBy(() -> load("backends.mock.fallback", "openai")).isInstanceOf(SettingsException.class)
                .hasMessage("backends.mock.fallback (BACKENDS_MOCK_FALLBACK) is 'openai', must be a backend that is set"
                        + " up: mock");
        assertThatThrownBy(() -> load("backends.openai.key", "k", "backends.openai.fallback", "mock",
                "backends.mock.fallback", "openai")).isInstanceOf(SettingsException.class)
                .hasMessageContaining("leads back to");
    }

    @Test
    void prices_are_by_model_and_a_star_is_any_other() {
        var offer = load("backends.mock.prices", "a image=0.04, * second=0.001 output=40").backends().offers()
                .get("mock");
        assertThat(offer.price("a").orElseThrow().image()).isEqualByComparingTo("0.04");
        assertThat(offer.price("b").orElseThrow().second()).isEqualByComparingTo("0.001");
        assertThat(offer.price("b").orElseThrow().output()).isEqualByComparingTo("40");
        assertThat(load().backends().offers().get("mock").price("a")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a image", "a image=", "a image=-1", "a image=1e3", "a pictures=1",
            "a image=1 image=2", "a image=1, a image=2", "a image=100001", "a image=0,04", ",", "a image=0.0000000001"})
    void a_price_that_is_none_is_refused_with_the_form_of_one(String prices) {
        assertThatThrownBy(() -> load("backends.mock.prices", prices)).isInstanceOf(SettingsException.class)
                .hasMessageStartingWith("backends.mock.prices (BACKENDS_MOCK_PRICES) has '")
                .hasMessageContaining("must be entries such as \"MODEL image=0.04\"");
    }

    @Test
    void the_workflows_of_comfyui_are_in_a_folder() {
        assertThat(load("backends.comfyui.url", "http://h").backends().workflows()).isEmpty();
        assertThat(load("backends.comfyui.url", "http://h", "backends.comfyui.workflows", "/etc/flows").backends()
                .workflows()).contains(Path.of("/etc/flows"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            backends.openai.concurrency | 0      | backends.openai.concurrency (BACKENDS_OPENAI_CONCURRENCY) is 0, must be from 1 to 10000
            backends.openai.model       | m      | backends.openai.key (BACKENDS_OPENAI_KEY) or backends.openai.url (BACKENDS_OPENAI_URL) must be set where a model of the backend is
            backends.openai.url         | http://h, http://h/ | backends.openai.url (BACKENDS_OPENAI_URL) has a URL twice
            backends.openai.models      | a,,b   | backends.openai.models (BACKENDS_OPENAI_MODELS) has '', must be 1 to 200 characters
            backends.comfyui.workflows  | flows  | backends.comfyui.url (BACKENDS_COMFYUI_URL) must be set where backends.comfyui.workflows (BACKENDS_COMFYUI_WORKFLOWS) is
            """)
    void what_cannot_work_is_refused_with_the_key_and_its_limit(String key, String value, String message) {
        assertThatThrownBy(() -> load(key, value)).isInstanceOf(SettingsException.class)
                .hasMessageStartingWith(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:8080", "ftp://h", "http://me:hidden@h", "https://h?key=hidden", "https:///v1"})
    void what_is_no_plain_url_is_refused_and_not_shown(String url) {
        assertThatThrownBy(() -> load("backends.openai.url", url)).isInstanceOf(SettingsException.class)
                .hasMessage("backends.openai.url (BACKENDS_OPENAI_URL) must be a URL such as https://host or"
                        + " http://host:port/path, without a user, a query or a fragment");
    }

    @Test
    void a_key_that_no_header_takes_is_refused_and_not_shown() {
        assertThatThrownBy(() -> load("backends.openai.key", "hidden key")).isInstanceOf(SettingsException.class)
                .hasMessage("backends.openai.key (BACKENDS_OPENAI_KEY) must be one line of visible ASCII characters");
    }
}
