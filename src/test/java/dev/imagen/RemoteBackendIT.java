package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.database.EmbeddedPostgres;
import dev.imagen.testing.OpenAiServer;
import dev.imagen.testing.ServiceProcess;
import dev.imagen.testing.TestClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The packaged service with an engine that is a server elsewhere, set up as a user would. */
@Timeout(300)
class RemoteBackendIT {

    /** One for all, which is made once; each test has an owner of its own. */
    @TempDir
    private static Path home;

    private final UUID owner = UUID.randomUUID();

    @Test
    void a_row_becomes_an_image_and_its_tokens_are_counted() throws Exception {
        try (var openai = OpenAiServer.start();
                var service = ServiceProcess.start(home, environment(openai));
                var client = service.client()) {
            var id = insert("""
                    insert into imagen.jobs (owner_user_id, prompt, backend, model, style, params)
                    values (?, 'a harbour at dusk', 'openai', 'gpt-image-1.5',
                            'cinematic', '{"quality": "high", "output_format": "jpeg", "output_compression": 80}')
                    returning id
                    """);
            try (var events = client.events("/jobs/" + id + "/events")) {
                var job = events.awaitStatus("done").data();
                var image = client.get("/images/" + job.path("image_id").textValue());
                assertThat(image.json().path("mime_type").textValue()).isEqualTo("image/jpeg");
                assertThat(image.json().path("width").intValue()).isEqualTo(1536);
                assertThat(image.json().path("seed").isNull()).isTrue();
                assertThat(client.get(job.path("image_url").textValue()).bytes()).startsWith(0xFF, 0xD8);
            }
            assertThat(openai.last().path("quality").textValue()).isEqualTo("high");
            assertThat(openai.last().path("prompt").textValue()).startsWith("a harbour at dusk, cinematic still");
            var usage = client.get("/usage?group=model").json().path("usage").path(0);
            assertThat(usage.path("model").textValue()).isEqualTo("gpt-image-1.5");
            assertThat(usage.path("input_tokens").intValue()).isEqualTo(13);
            assertThat(usage.path("output_tokens").intValue()).isEqualTo(272);
            assertThat(service.output()).doesNotContain("WARNING").doesNotContain(OpenAiServer.KEY);
        }
    }

    @Test
    void what_the_model_cannot_do_is_refused_by_rest_and_fails_by_sql_without_a_call() throws Exception {
        try (var openai = OpenAiServer.start();
                var service = ServiceProcess.start(home, environment(openai));
                var client = service.client()) {
            var refused = client.submit("{\"prompt\": \"a\", \"seed\": 7, \"params\": {\"quality\": \"best\"}}");
            assertThat(refused.status()).isEqualTo(422);
            assertThat(refused.json().path("errors").findValuesAsText("field")).containsExactly("seed",
                    "params.quality");
            var id = insert("""
                    insert into imagen.jobs (owner_user_id, prompt, model, width, height)
                    values (?, 'a', 'gpt-image-1.5', 1000, 1000) returning id
                    """);
            try (var events = client.events("/jobs/" + id + "/events")) {
                assertThat(events.awaitStatus("failed").data().path("error").textValue())
                        .startsWith("width and height are 1000x1000, must be one of 1024x1024, 1536x1024, 1024x1536"
                                + " for model gpt-image-1.5 of backend openai");
            }
            assertThat(openai.calls()).isZero();
        }
    }

    @Test
    void a_dead_server_of_two_costs_a_job_nothing() throws Exception {
        try (var openai = OpenAiServer.start();
                var service = ServiceProcess.start(home, with(openai, "http://127.0.0.1:9," + openai.url()));
                var client = service.client()) {
            var job = client.submitAndWait("{\"prompt\": \"a bay\"}");
            assertThat(image(client, job).path("model").textValue()).isEqualTo("gpt-image-2");
            assertThat(job.path("failures").intValue()).isZero();
            assertThat(client.get("/usage?group=model").json().path("usage").path(0).path("cost_usd").doubleValue())
                    .isEqualTo(0.04);
        }
    }

    @Test
    void the_fallback_of_a_dead_server_makes_the_picture_and_the_image_says_so() throws Exception {
        try (var openai = OpenAiServer.start();
                var service = ServiceProcess.start(home, with(openai, "http://127.0.0.1:9"));
                var client = service.client()) {
            var job = client.submitAndWait("{\"prompt\": \"a bay\"}");
            assertThat(image(client, job).path("backend").textValue()).isEqualTo("mock");
            assertThat(job.path("backend").textValue()).isEqualTo("openai");
            assertThat(job.path("failures").intValue()).isZero();
            assertThat(openai.calls()).isZero();
        }
    }

    private Map<String, String> with(OpenAiServer openai, String urls) throws IOException {
        var environment = new HashMap<>(environment(openai));
        environment.put("BACKENDS_OPENAI_URL", urls);
        environment.put("BACKENDS_OPENAI_FALLBACK", "mock");
        environment.put("BACKENDS_OPENAI_PRICES", "* image=0.04");
        return environment;
    }

    private static JsonNode image(TestClient client, JsonNode job) {
        assertThat(job.path("status").textValue()).as(job.toString()).isEqualTo("done");
        return client.get("/images/" + job.path("image_id").textValue()).json();
    }

    @Test
    void generate_uses_it_too() throws Exception {
        try (var openai = OpenAiServer.start()) {
            var made = ServiceProcess.start(home, environment(openai), "generate", "a fox in snow");
            assertThat(made.awaitExit()).as(made.output()).isZero();
            assertThat(made.output()).contains("(1024×1024)");
        }
    }

    @Test
    void a_server_whose_models_nobody_names_ends_the_start_with_one_line() throws Exception {
        var service = ServiceProcess.start(home, Map.of("BACKENDS_OPENAI_URL", "http://127.0.0.1:9"));
        assertThat(service.awaitExit()).isEqualTo(2);
        assertThat(service.output()).startsWith("imagen: backends.openai.model (BACKENDS_OPENAI_MODEL) must be set");
    }

    @Test
    void a_workflow_that_cannot_be_drawn_ends_the_start_with_its_name() throws Exception {
        Files.writeString(home.resolve("flux.json"), "{\"nodes\": [], \"links\": []}");
        var service = ServiceProcess.start(home,
                Map.of("BACKENDS_COMFYUI_URL", "http://127.0.0.1:9", "BACKENDS_COMFYUI_WORKFLOWS", home.toString()));
        assertThat(service.awaitExit()).isEqualTo(2);
        assertThat(service.output()).startsWith("imagen: backends.comfyui.workflows (BACKENDS_COMFYUI_WORKFLOWS):"
                + " flux.json is in the format of ComfyUI's editor: export it in the other one");
    }

    private Map<String, String> environment(OpenAiServer openai) throws IOException {
        var key = Files.writeString(home.resolve("key"), OpenAiServer.KEY + "\n");
        return Map.of("BACKENDS_OPENAI_URL", openai.url().toString(), "BACKENDS_OPENAI_KEY", "file:" + key,
                "BACKENDS_OPENAI_MODEL", "gpt-image-2", "BACKENDS_OPENAI_MODELS", "gpt-image-1.5", "AUTH_OWNER",
                owner.toString());
    }

    private UUID insert(String sql) throws SQLException {
        var login = EmbeddedPostgres.running(home).orElseThrow().service();
        try (var connection = DriverManager.getConnection(login.url(), login.username(), login.password());
                var statement = connection.prepareStatement(sql)) {
            statement.setObject(1, owner);
            try (var rows = statement.executeQuery()) {
                rows.next();
                return rows.getObject(1, UUID.class);
            }
        }
    }
}
