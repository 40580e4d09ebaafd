package dev.imagen.worker;

import dev.imagen.job.Job;
import dev.imagen.job.Outcome;
import dev.imagen.trace.Spans;
import dev.imagen.trace.Traceparent;
import dev.imagen.trace.Tracing;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import java.time.Instant;

/** What a trace tells of an attempt: a span from its claim until its end is recorded. */
final class JobSpan {

    private static final double MILLIS = 1e3;

    private JobSpan() {}

    /** @param sent when the claim was */
    static Span begin(Tracing tracing, Job job, Instant sent) {
        var parent = job.traceparent().map(Traceparent::read).orElseGet(SpanContext::getInvalid);
        var span = tracing.span("imagen.job", SpanKind.CONSUMER, parent).setStartTimestamp(sent)
                .setAttribute("imagen.job.id", job.id().toString())
                .setAttribute("imagen.job.owner", job.ownerUserId().toString())
                .setAttribute("imagen.job.attempt", job.attempt()).startSpan().addEvent("claimed");
        job.request().backend().ifPresent(backend -> span.setAttribute("imagen.backend", backend));
        job.waited().ifPresent(wait -> span.setAttribute("imagen.job.wait", wait.toMillis() / MILLIS));
        return span;
    }

    /** Tells the calling thread's span how the attempt ended. */
    static void ended(Outcome outcome) {
        var span = Span.current().setAttribute("imagen.job.outcome", outcome.text());
        outcome.usage().ifPresent(used -> span.setAttribute("imagen.model", used.model()));
        if (outcome instanceof Outcome.Failed) {
            Spans.failed(span, outcome.text());
        }
    }
}
