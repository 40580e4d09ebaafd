package dev.imagen.api;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.helidon.webserver.http.ServerRequest;
import java.util.List;
import java.util.Set;

/**
 * Which web pages may use the API from a browser (CORS, in the Fetch standard): those of the configured origins, with
 * tokens in headers and never with cookies. Helidon's own support loses its headers where a route ends in an error, and
 * lets every origin read a 404.
 */
final class Origins implements Filter {

    /** Authorization: a browser that keeps an image shows it only to whoever shows the same token again. */
    private static final Header VARY = HeaderValues.createCached("Vary", "Origin, Authorization");

    private static final Header EXPOSED = HeaderValues.createCached("Access-Control-Expose-Headers",
            "ETag, Location, Preference-Applied, Retry-After, WWW-Authenticate");

    private static final List<Header> PREFLIGHT = List.of(
            HeaderValues.createCached("Access-Control-Allow-Methods", "GET, POST, DELETE"),
            HeaderValues.createCached("Access-Control-Allow-Headers",
                    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, traceparent"),
            HeaderValues.createCached("Access-Control-Max-Age", "3600"));

    private static final Set<Method> READING = Set.of(Method.GET, Method.HEAD, Method.OPTIONS);

    private final Set<String> allowed;

    /** @param allowed exact origins such as {@code https://app.example.com}; none: no page of another origin */
    Origins(Set<String> allowed) {
        this.allowed = allowed;
    }

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        var origin = request.headers().first(HeaderNames.ORIGIN);
        if (origin.isPresent() && allowed.contains(origin.get())) {
            request.context().register(new Allowed(origin.get()));
            if (preflight(request)) {
                setFor(request, response.headers());
                PREFLIGHT.forEach(response.headers()::set);
                response.status(Status.NO_CONTENT_204).send();
                return;
            }
        } else if (origin.isPresent() && (preflight(request) || changes(request))
                && !origin.get().endsWith("://" + request.authority())) {
            throw Problem.exception(Status.FORBIDDEN_403, "pages of this origin may not use the API: its operator can"
                    + " list the origin in api.origins (API_ORIGINS)");
        }
        setFor(request, response.headers());
        chain.proceed();
    }

    private record Allowed(String origin) {}

    /** Also for an error, whose answer begins anew: without these, the page would not see what it did wrong. */
    static void setFor(ServerRequest request, ServerResponseHeaders headers) {
        headers.add(VARY);
        request.context().get(Allowed.class).ifPresent(page -> {
            headers.set(HeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, page.origin());
            headers.set(EXPOSED);
        });
    }

    private static boolean preflight(ServerRequest request) {
        return request.prologue().method().equals(Method.OPTIONS)
                && request.headers().contains(HeaderNames.ACCESS_CONTROL_REQUEST_METHOD);
    }

    /** A page of anywhere could send it, even though it may not read the answer. */
    private static boolean changes(ServerRequest request) {
        return !READING.contains(request.prologue().method());
    }
}
