package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.job.Job;
import dev.imagen.job.JobScope;
import dev.imagen.job.JobStatus;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

class JsonFormatterTest {

    private static final Instant NOON = Instant.parse("2026-01-02T12:00:00.5Z");

    private static LogRecord entry(String message, Object... parameters) {
        var entry = new LogRecord(Level.WARNING, message);
        entry.setInstant(NOON);
        entry.setLoggerName("dev.imagen.Service");
        entry.setParameters(parameters);
        return entry;
    }

    private static JsonNode read(String line) {
        try {
            return new ObjectMapper().readTree(line);
        } catch (JsonProcessingException e) {
            throw new AssertionError(line, e);
        }
    }

    @Test
    void a_line_is_one_object_with_its_parameters_in_the_message() {
        var line = new JsonFormatter().format(entry("the store \"{0}\" said\n{1}", "s3", "no"));
        assertThat(line).isEqualTo("{\"time\":\"2026-01-02T12:00:00.500Z\",\"level\":\"WARNING\","
                + "\"logger\":\"dev.imagen.Service\",\"message\":\"the store \\\"s3\\\" said\\nno\"}\n");
    }

    @Test
    void a_stack_trace_stays_in_the_line() {
        var entry = entry("failed");
        entry.setThrown(new IllegalStateException("outer", new IllegalArgumentException("inner")));
        var line = new JsonFormatter().format(entry);
        assertThat(line.lines()).hasSize(1);
        assertThat(read(line).path("error").textValue()).contains("IllegalStateException: outer", "\n\tat ",
                "Caused by: java.lang.IllegalArgumentException: inner");
    }

    @Test
    void a_line_about_a_job_tells_which_job_owner_and_attempt() {
        var job = new Job(UUID.randomUUID(), UUID.randomUUID(), null, Optional.empty(), JobStatus.RUNNING, 3, 1,
                Optional.empty(), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), 1, NOON, NOON,
                Optional.empty(), Optional.empty());
        var line = new AtomicReference<String>();
        JobScope.run(job, () -> line.set(new JsonFormatter().format(entry("again"))));
        assertThat(read(line.get()).path("job").textValue()).isEqualTo(job.id().toString());
        assertThat(read(line.get()).path("owner").textValue()).isEqualTo(job.ownerUserId().toString());
        assertThat(read(line.get()).path("attempt").intValue()).isEqualTo(3);
        assertThat(read(new JsonFormatter().format(entry("again"))).has("job")).isFalse();
    }

    @Test
    void a_line_within_a_trace_tells_which_span_of_which_trace() {
        var span = Span.wrap(SpanContext.create("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331",
                TraceFlags.getSampled(), TraceState.getDefault()));
        try (var _ = span.makeCurrent()) {
            var line = read(new JsonFormatter().format(entry("again")));
            assertThat(line.path("trace_id").textValue()).isEqualTo("0af7651916cd43dd8448eb211c80319c");
            assertThat(line.path("span_id").textValue()).isEqualTo("b7ad6b7169203331");
        }
        assertThat(new JsonFormatter().format(entry("again"))).doesNotContain("trace_id", "span_id");
    }
}
