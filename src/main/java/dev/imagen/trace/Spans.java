package dev.imagen.trace;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.ContextKey;

/**
 * Spans below the calling thread's one. Where that is none, or is not recorded, there are none, and the work costs
 * nothing more. Texts of failures stay out: they may quote a prompt.
 */
public final class Spans {

    private static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");
    private static final ContextKey<Tracer> TRACER = ContextKey.named("imagen-tracer");

    private Spans() {}

    /** What a span is about. */
    @FunctionalInterface
    public interface Work<T, X extends Exception> {
        /** Does it. */
        T run() throws X, InterruptedException;
    }

    /** Work in a span of this name. */
    public static <T, X extends Exception> T in(String name, Work<T, X> work) throws X, InterruptedException {
        return in(begin(name, SpanKind.INTERNAL), work);
    }

    /** Work in this span, which ends with it. */
    public static <T, X extends Exception> T in(Span span, Work<T, X> work) throws X, InterruptedException {
        if (!span.isRecording()) {
            return work.run();
        }
        try (var _ = span.makeCurrent()) {
            return work.run();
        } catch (InterruptedException e) {
            // Somebody stopped it: why, the span of the job tells.
            throw e;
        } catch (Throwable e) {
            failed(span, (e.getCause() == null ? e : e.getCause()).getClass().getName());
            throw e;
        } finally {
            span.end();
        }
    }

    /** A span to be ended; it becomes nobody's current one. */
    public static Span begin(String name, SpanKind kind) {
        var tracer = Context.current().get(TRACER);
        return tracer == null || !Span.current().isRecording()
                ? Span.getInvalid()
                : tracer.spanBuilder(name).setSpanKind(kind).startSpan();
    }

    /** @param type what kind of failure: a status of HTTP, the name of a class */
    public static void failed(Span span, String type) {
        span.setStatus(StatusCode.ERROR).setAttribute(ERROR_TYPE, type);
    }

    /** Where spans below this one are made by this tracer. */
    static Context context(Tracer tracer, Span span) {
        return Context.root().with(TRACER, tracer).with(span);
    }
}
