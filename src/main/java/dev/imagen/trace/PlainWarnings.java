package dev.imagen.trace;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Says in one line, now and then, that spans are lost. The library's own lines have stack traces, and are turned off in
 * {@code logging.properties}.
 */
final class PlainWarnings implements SpanExporter {

    private static final System.Logger LOG = System.getLogger(PlainWarnings.class.getName());
    private static final long BETWEEN = Duration.ofMinutes(5).toNanos();

    private final SpanExporter exporter;
    private final URI collector;
    private final AtomicLong nextNanos = new AtomicLong(System.nanoTime());

    PlainWarnings(SpanExporter exporter, URI collector) {
        this.exporter = exporter;
        this.collector = collector;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
        var result = exporter.export(spans);
        result.whenComplete(() -> {
            if (!result.isSuccess()) {
                lost(spans.size(), result.getFailureThrowable());
            }
        });
        return result;
    }

    private void lost(int spans, Throwable why) {
        long now = System.nanoTime();
        long next = nextNanos.get();
        if (now - next >= 0 && nextNanos.compareAndSet(next, now + BETWEEN)) {
            LOG.log(Level.WARNING, "{0} spans did not reach {1}, check tracing.endpoint (TRACING_ENDPOINT): {2}", spans,
                    collector, why == null ? "no reason is known" : why);
        }
    }

    @Override
    public CompletableResultCode flush() {
        return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
        return exporter.shutdown();
    }
}
