package dev.imagen.observe;

import io.helidon.metrics.providers.micrometer.spi.SpanContextSupplierProvider;
import io.prometheus.client.exemplars.tracer.common.SpanContextSupplier;
import io.prometheus.client.exemplars.tracer.otel.OpenTelemetrySpanContextSupplier;

/** Lets histograms name the trace of what they measured. Helidon makes this class by its name. */
public final class SpanExemplars implements SpanContextSupplierProvider {

    @Override
    public SpanContextSupplier get() {
        return new OpenTelemetrySpanContextSupplier();
    }
}
