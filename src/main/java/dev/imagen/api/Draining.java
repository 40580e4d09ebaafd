package dev.imagen.api;

import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;

/**
 * Whether the server goes on for a while only. Every answer then tells its client to open another connection for the
 * next request, which whoever divides the load leads to another process: a connection that is cut while a request is on
 * its way would cost that request.
 */
final class Draining {

    private volatile boolean begun;

    void begin() {
        begun = true;
    }

    boolean begun() {
        return begun;
    }

    /** A filter. */
    void tell(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        if (begun) {
            response.headers().set(HeaderValues.CONNECTION_CLOSE);
        }
        chain.proceed();
    }
}
