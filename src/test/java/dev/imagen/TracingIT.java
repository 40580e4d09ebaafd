package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.OtlpCollector;
import dev.imagen.testing.OtlpCollector.Seen;
import dev.imagen.testing.ServiceProcess;
import dev.imagen.testing.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A real process that sends traces, one of whose backends is away. */
@Timeout(120)
class TracingIT {

    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    @TempDir
    private Path home;

    @Test
    void metrics_name_the_trace_and_a_stop_sends_its_last_spans() throws Exception {
        var login = DB.settings().service();
        try (var collector = OtlpCollector.start();
                var service = ServiceProcess.start(home,
                        Map.of("DB_CONNECTION_URL", login.url(), "DB_CONNECTION_USERNAME", login.username(),
                                "DB_CONNECTION_PASSWORD", login.password(), "DB_MIGRATION_ENABLED", "false",
                                "TRACING_ENDPOINT", collector.url(), "BACKENDS_OPENAI_URL", "http://127.0.0.1:9",
                                "BACKENDS_OPENAI_MODEL", "gpt-image-2", "BACKENDS_OPENAI_FALLBACK", "mock"));
                var client = service.client()) {
            var job = client.submit("{\"prompt\": \"a bay\"}", "traceparent", "00-" + TRACE + "-b7ad6b7169203331-01",
                    "Prefer", "wait=30");
            assertThat(job.json().path("status").textValue()).isEqualTo("done");
            var metrics = client.get("/observe/metrics", "Accept", "application/openmetrics-text");
            assertThat(new String(metrics.bytes(), StandardCharsets.UTF_8)).containsPattern(
                    "imagen_job_run_seconds_bucket\\{.* # \\{span_id=\"[0-9a-f]{16}\",trace_id=\"" + TRACE + "\"\\}");
            service.terminate();
            assertThat(service.awaitExit()).isZero();
            assertThat(service.output()).doesNotContain("dev.imagen.trace", "opentelemetry");
            assertThat(collector.spans()).filteredOn(span -> span.trace().equals(TRACE)).extracting(Seen::name)
                    .startsWith("POST /jobs", "imagen.job", "imagen.style", "imagen.backend", "POST", "imagen.backend")
                    .endsWith("imagen.finish");
            assertThat(collector.spans()).filteredOn(span -> span.name().equals("POST"))
                    .extracting(span -> span.attributes().get("error.type"))
                    .containsExactly("java.net.ConnectException");
            assertThat(collector.resource().get("service.version").toString()).matches("\\d+\\.\\d+\\..+");
        }
    }
}
