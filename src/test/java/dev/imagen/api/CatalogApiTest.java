package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Progress;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.util.List;
import java.util.UUID;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code /backends}, {@code /styles} and {@code /usage} over HTTP. */
@Timeout(120)
class CatalogApiTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private TestService service;
    private TestClient client;

    @BeforeEach
    void start() {
        service = TestService.on(DB).start();
        client = service.client();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    @Test
    void the_backends_tell_their_models_defaults_and_limits() {
        var backends = client.get("/backends").json().path("backends");
        assertThat(backends).hasSize(1);
        var mock = backends.path(0);
        assertThat(mock.path("name").textValue()).isEqualTo("mock");
        assertThat(mock.path("default").booleanValue()).isTrue();
        assertThat(mock.path("models").path(0).textValue()).isEqualTo("mock-landscape");
        assertThat(mock.path("defaults").toString())
                .isEqualTo("{\"model\":\"mock-landscape\",\"width\":512,\"height\":512,\"steps\":20}");
        assertThat(mock.path("limits").toString())
                .isEqualTo("{\"min_side\":16,\"max_side\":2048,\"max_pixels\":4194304,\"max_steps\":150}");
        assertThat(mock.path("features").toString())
                .isEqualTo("[\"negative_prompt\",\"steps\",\"seed\",\"input_image_id\",\"strength\"]");
    }

    @Test
    void a_backend_that_does_not_answer_says_so_with_its_prices_and_who_stands_in() {
        try (var broken = TestService.on(DB).backend(new Away()).with("backends.mock.prices", "* image=0.04")
                .with("backends.openai.key", "k").with("backends.mock.fallback", "openai").start()) {
            var backends = await().until(() -> broken.client().get("/backends").json().path("backends"),
                    list -> list.path(0).path("health").isObject() && list.path(1).path("health").isObject());
            var mock = backends.path(0);
            assertThat(mock.path("health").path("ok").booleanValue()).isTrue();
            assertThat(mock.path("health").path("problem").isNull()).isTrue();
            assertThat(mock.path("fallback").textValue()).isEqualTo("openai");
            assertThat(mock.path("prices").toString()).isEqualTo("[{\"model\":\"mock-landscape\",\"image\":0.04,"
                    + "\"megapixel\":0,\"second\":0,\"input\":0,\"output\":0}]");
            var away = backends.path(1);
            assertThat(away.path("health").path("ok").booleanValue()).isFalse();
            assertThat(away.path("health").path("problem").textValue()).isEqualTo("no connection to nowhere");
            assertThat(away.path("prices")).isEmpty();
        }
    }

    /** A backend whose server is not there. */
    private static final class Away implements ImageBackend {

        @Override
        public BackendInfo info() {
            return new BackendInfo("away", List.of("m"), new BackendInfo.Defaults(64, 64, 1),
                    new BackendInfo.Limits(16, 64, 4096, 1));
        }

        @Override
        public void probe() throws JobFailedException {
            throw JobFailedException.temporary("no connection to nowhere");
        }

        @Override
        public Generation generate(ImageRequest request, Progress progress) throws JobFailedException {
            throw JobFailedException.temporary("no connection to nowhere");
        }
    }

    @Test
    void a_job_that_names_what_the_catalog_tells_is_done() {
        var mock = client.get("/backends").json().path("backends").path(0);
        var style = client.get("/styles").json().path("styles").path(0);
        var job = client.submitAndWait("{\"prompt\": \"a\", \"backend\": " + mock.path("name") + ", \"model\": "
                + mock.path("models").path(0) + ", \"style\": " + style.path("name") + "}");
        assertThat(job.path("status").textValue()).isEqualTo("done");
    }

    @Test
    void the_styles_tell_what_they_add_in_the_order_of_their_names() {
        var styles = client.get("/styles").json().path("styles");
        assertThat(styles.findValuesAsText("name")).isSorted().contains("ink", "portrait", "watercolor");
        var portrait = StreamSupport.stream(styles.spliterator(), false)
                .filter(style -> style.path("name").textValue().equals("portrait")).findFirst().orElseThrow();
        assertThat(portrait.path("prefix").textValue()).isEqualTo("portrait of ");
        assertThat(portrait.path("width").intValue()).isEqualTo(768);
    }

    /** Attempts of three days and two backends; one failed, one told no price. */
    private void insertUsage(UUID owner) throws Exception {
        DB.execute("""
                insert into imagen.usage (owner_user_id, backend, model, outcome, images, megapixels, input_tokens,
                                          cost_usd, duration_ms, created_at)
                values ('%1$s', 'mock', 'mock-landscape', 'done', 1, 0.25, null, null, 100, '2026-01-30T23:59:59Z'),
                       ('%1$s', 'openai', 'gpt', 'done', 2, 2.5, 30, 0.04, 2000, '2026-01-31T00:00:00Z'),
                       ('%1$s', 'openai', 'gpt', 'failed', 0, 0, 12, 0.01, 500, '2026-01-31T12:00:00Z'),
                       ('%1$s', 'openai', 'gpt-mini', 'done', 1, 1, 10, 0.005, 900, '2026-02-01T00:00:00Z')
                """.formatted(owner));
    }

    @Test
    void usage_is_summed_by_day_unless_asked_otherwise() throws Exception {
        insertUsage(service.owner());
        var answer = client.get("/usage").json();
        assertThat(answer.path("group").textValue()).isEqualTo("day");
        assertThat(keys(answer)).containsExactly("2026-01-30", "2026-01-31", "2026-02-01");
        var day = answer.path("usage").path(1);
        assertThat(day.path("attempts").intValue()).isEqualTo(2);
        assertThat(day.path("images").intValue()).isEqualTo(2);
        assertThat(day.path("megapixels").decimalValue()).isEqualByComparingTo("2.5");
        assertThat(day.path("input_tokens").intValue()).isEqualTo(42);
        assertThat(day.path("output_tokens").isNull()).isTrue();
        assertThat(day.path("cost_usd").decimalValue()).isEqualByComparingTo("0.05");
        assertThat(day.path("duration_ms").intValue()).isEqualTo(2500);
    }

    private static List<String> keys(JsonNode answer) {
        return answer.path("usage").findValuesAsText(answer.path("group").textValue());
    }

    @Test
    void what_nobody_priced_has_no_price_instead_of_none() throws Exception {
        insertUsage(service.owner());
        var mock = client.get("/usage?group=backend").json().path("usage").path(0);
        assertThat(mock.path("backend").textValue()).isEqualTo("mock");
        assertThat(mock.path("cost_usd").isNull()).isTrue();
        assertThat(mock.path("input_tokens").isNull()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"'', 2026-01-30 2026-01-31 2026-02-01", "'group=backend', mock openai",
            "'group=model', gpt gpt-mini mock-landscape", "'from=2026-01-31T00:00:00Z', 2026-01-31 2026-02-01",
            "'to=2026-01-31T00:00:00Z', 2026-01-30", "'from=2026-01-31T00:00:00Z&to=2026-02-01T00:00:00Z', 2026-01-31",
            "'from=2026-01-31T01:00:00%2B01:00&to=2026-01-31T01:00:01%2B01:00', 2026-01-31",
            "'from=2026-01-31T00:00:00Z&group=model', gpt gpt-mini", "'from=2027-01-01T00:00:00Z', ''",
            "'from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', ''",
            "'from=&to=&group=', 2026-01-30 2026-01-31 2026-02-01"})
    void usage_is_grouped_and_bounded_from_the_first_time_to_before_the_last(String query, String expected)
            throws Exception {
        insertUsage(service.owner());
        assertThat(String.join(" ", keys(client.get("/usage?" + query).json()))).isEqualTo(expected);
    }

    @Test
    void a_finished_job_is_on_the_bill() {
        client.submitAndWait("{\"prompt\": \"a quiet bay\", \"width\": 1000, \"height\": 1000}");
        var usage = client.get("/usage?group=model").json().path("usage");
        assertThat(usage).hasSize(1);
        assertThat(usage.path(0).path("model").textValue()).isEqualTo("mock-landscape");
        assertThat(usage.path(0).path("images").intValue()).isEqualTo(1);
        assertThat(usage.path(0).path("megapixels").decimalValue()).isEqualByComparingTo("1");
    }

    @Test
    void a_job_that_reached_no_backend_is_not_on_the_bill() {
        service.pipeline().failAll("the sky fell down");
        client.submitAndWait("{\"prompt\": \"a quiet bay\"}");
        assertThat(client.get("/usage").json().path("usage")).isEmpty();
    }
}
