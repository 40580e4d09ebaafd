package dev.imagen.api;

import dev.imagen.trace.Spans;
import dev.imagen.trace.Traceparent;
import dev.imagen.trace.Tracing;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HttpException;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import java.util.Optional;
import java.util.Set;

/**
 * A span for each request, which {@link NamedRoutes} names by its route. Health and metrics have none, nor have event
 * streams, which last as long as their clients like.
 */
final class RequestSpans implements Filter {

    static final HeaderName TRACEPARENT = HeaderNames.create("traceparent");

    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS",
            "TRACE", "PATCH");

    private final Tracing tracing;

    RequestSpans(Tracing tracing) {
        this.tracing = tracing;
    }

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        var path = request.path().path();
        if (path.startsWith("/observe/") || path.endsWith("/events")) {
            chain.proceed();
            return;
        }
        var span = begin(request);
        try (var _ = tracing.enter(span)) {
            chain.proceed();
            ended(span, response.status());
        } catch (RuntimeException e) {
            status(e).ifPresent(status -> ended(span, status));
            throw e;
        } finally {
            span.end();
        }
    }

    private Span begin(RoutingRequest request) {
        var method = request.prologue().method().text();
        boolean known = METHODS.contains(method);
        return tracing.span(known ? method : "HTTP", SpanKind.SERVER, parent(request))
                .setAttribute("http.request.method", known ? method : "_OTHER").startSpan();
    }

    /** Of several, none is believed. */
    private static SpanContext parent(RoutingRequest request) {
        var sent = request.headers().values(TRACEPARENT);
        return sent.size() == 1 ? Traceparent.read(sent.getFirst()) : SpanContext.getInvalid();
    }

    /** What {@link Problems} makes of what another filter threw; empty where nobody is answered. */
    private static Optional<Status> status(RuntimeException thrown) {
        return switch (thrown) {
            case ProblemException problem -> Optional.of(problem.problem().status());
            case RequestException refused -> Optional.of(refused.status());
            case HttpException refused -> Optional.of(refused.status());
            case CloseConnectionException _ -> Optional.empty();
            default -> Optional.of(Status.INTERNAL_SERVER_ERROR_500);
        };
    }

    private static void ended(Span span, Status status) {
        span.setAttribute("http.response.status_code", status.code());
        if (status.code() >= 500) {
            Spans.failed(span, String.valueOf(status.code()));
        }
    }
}
