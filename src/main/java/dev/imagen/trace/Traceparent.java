package dev.imagen.trace;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import java.util.Optional;

/** Which span goes before, as text: W3C's Trace Context, without {@code tracestate}. */
public final class Traceparent {

    private static final String NAME = "traceparent";

    private static final TextMapGetter<String> GETTER = (text, name) -> name.equals(NAME) ? text : null;

    private Traceparent() {}

    /** The span that this names, of any version of the format; an invalid one for anything else. */
    public static SpanContext read(String text) {
        return Span.fromContext(W3CTraceContextPropagator.getInstance().extract(Context.root(), text, GETTER))
                .getSpanContext();
    }

    /** Names the calling thread's span, in version 00; empty outside of any. */
    public static Optional<String> current() {
        var span = Span.current().getSpanContext();
        return span.isValid()
                ? Optional.of("00-" + span.getTraceId() + "-" + span.getSpanId() + "-" + span.getTraceFlags().asHex())
                : Optional.empty();
    }
}
