package dev.imagen;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.job.JobScope;
import io.opentelemetry.api.trace.Span;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.logging.Formatter;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * One JSON object a line: {@code time} (ISO 8601, UTC), {@code level}, {@code logger}, {@code message}, {@code error}
 * with the stack trace if there is one, and {@code job}, {@code owner} and {@code attempt} where the line is about a
 * job, {@code trace_id} and {@code span_id} where it belongs to a trace.
 */
final class JsonFormatter extends Formatter {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** From here on all handlers of this process write this way. */
    static void install() {
        for (var handler : Logger.getLogger("").getHandlers()) {
            handler.setFormatter(new JsonFormatter());
        }
    }

    @Override
    public String format(LogRecord entry) {
        var line = JSON.createObjectNode().put("time", entry.getInstant().toString())
                .put("level", entry.getLevel().getName()).put("logger", entry.getLoggerName())
                .put("message", formatMessage(entry));
        JobScope.current().ifPresent(job -> line.put("job", job.id().toString())
                .put("owner", job.ownerUserId().toString()).put("attempt", job.attempt()));
        var span = Span.current().getSpanContext();
        if (span.isValid()) {
            line.put("trace_id", span.getTraceId()).put("span_id", span.getSpanId());
        }
        if (entry.getThrown() != null) {
            line.put("error", stackTrace(entry.getThrown()));
        }
        return written(line);
    }

    private static String stackTrace(Throwable thrown) {
        var text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private static String written(ObjectNode line) {
        try {
            return JSON.writeValueAsString(line) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of strings and numbers is always JSON", e);
        }
    }
}
