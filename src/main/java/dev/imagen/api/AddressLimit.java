package dev.imagen.api;

import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.net.InetSocketAddress;

/** Counts the requests of each address before anything else is done for them; probes and scrapes are not counted. */
final class AddressLimit implements Filter {

    private final RateLimit limit;

    AddressLimit(RateLimit limit) {
        this.limit = limit;
    }

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        if (!request.path().path().startsWith("/observe/")
                && request.remotePeer().address() instanceof InetSocketAddress peer) {
            limit.take(peer.getAddress());
        }
        chain.proceed();
    }
}
