package dev.imagen.trace;

import dev.imagen.config.Settings;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.TracerProvider;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.common.export.RetryPolicy;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.samplers.Sampler;
import java.net.URI;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * Where spans begin that are not below another one of this process, and where all of them go: to a collector by OTLP,
 * in batches and on a thread of the library, or nowhere. Without a collector a trace that a client began is still
 * passed on.
 */
public final class Tracing implements AutoCloseable {

    /** Of the last batches, when the process stops. */
    private static final Duration LAST_EXPORT = Duration.ofSeconds(5);

    /** Within a second, so that a process stops soon also where the collector is away. */
    private static final RetryPolicy RETRIES = RetryPolicy.builder().setMaxAttempts(3)
            .setInitialBackoff(Duration.ofMillis(300)).build();

    /** Records nothing, without a thread. */
    public static final Tracing OFF = new Tracing(TracerProvider.noop(), () -> {});

    private final Tracer tracer;
    private final Runnable close;

    private Tracing(TracerProvider provider, Runnable close) {
        this.tracer = provider.get("dev.imagen");
        this.close = close;
    }

    /** As the settings say. @param version of this program */
    public static Tracing of(Settings.Tracing settings, String version) {
        return settings.endpoint().map(collector -> to(collector, settings.ratio(), version)).orElse(OFF);
    }

    private static Tracing to(URI collector, double ratio, String version) {
        var exporter = OtlpHttpSpanExporter.builder().setEndpoint(collector + "/v1/traces").setRetryPolicy(RETRIES)
                .build();
        var provider = SdkTracerProvider.builder()
                .addSpanProcessor(BatchSpanProcessor.builder(new PlainWarnings(exporter, collector)).build())
                .setSampler(Sampler.parentBased(Sampler.traceIdRatioBased(ratio))).setResource(process(version))
                .build();
        return new Tracing(provider, () -> provider.shutdown().join(LAST_EXPORT.toMillis(), TimeUnit.MILLISECONDS));
    }

    private static Resource process(String version) {
        return Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), "imagen",
                AttributeKey.stringKey("service.version"), version, AttributeKey.stringKey("service.instance.id"),
                UUID.randomUUID().toString()));
    }

    /** A span to be started, used by {@link #enter} and ended. @param parent that goes before; invalid: none */
    public SpanBuilder span(String name, SpanKind kind, SpanContext parent) {
        return tracer.spanBuilder(name).setSpanKind(kind).setParent(Context.root().with(Span.wrap(parent)));
    }

    /** From here on the span is the calling thread's, until the scope is closed. */
    public Scope enter(Span span) {
        return Spans.context(tracer, span).makeCurrent();
    }

    /** Sends what has not been sent yet, for some seconds at most. */
    @Override
    public void close() {
        close.run();
    }
}
