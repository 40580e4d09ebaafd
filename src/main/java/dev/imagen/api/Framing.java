package dev.imagen.api;

import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.RequestException;
import io.helidon.http.ServerRequestHeaders;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;

/**
 * Refuses requests whose end may be seen at two places. Where a proxy sees another one than this server does, a part of
 * one caller's body would be taken for the beginning of another caller's request (RFC 9112, 6.3 and 11.2). Helidon
 * takes the first length of several, goes by chunks where there is a length too, and knows no other coding.
 */
final class Framing {

    /** How paths begin below which a body may be large, as they are sent: lengths are to be known beforehand there. */
    static final String PICTURES = "/images";

    private Framing() {}

    /** A filter. */
    static void check(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        var lengths = request.headers().values(HeaderNames.CONTENT_LENGTH);
        var codings = request.headers().values(HeaderNames.TRANSFER_ENCODING);
        if (lengths.size() > 1) {
            throw refused("the request has several lengths (Content-Length)");
        }
        if (!codings.isEmpty() && !lengths.isEmpty()) {
            throw refused("the request has a length and a Transfer-Encoding: send one of them");
        }
        if (!codings.isEmpty() && (codings.size() > 1 || !codings.getFirst().strip().equalsIgnoreCase("chunked"))) {
            throw refused("the Transfer-Encoding must be chunked, once");
        }
        if (!codings.isEmpty() && request.prologue().uriPath().rawPath().startsWith(PICTURES)) {
            throw refused("send a picture with its length (Content-Length), and not in chunks");
        }
        chain.proceed();
    }

    /**
     * Whoever asked to be told to go on may send the body without that: where it is not read, Helidon takes it for the
     * beginning of the next request. So no client and no proxy is to send one by this connection.
     */
    static void announceEnd(ServerRequestHeaders request, ServerResponseHeaders response) {
        if (request.contains(HeaderNames.EXPECT)) {
            response.set(HeaderValues.CONNECTION_CLOSE);
        }
    }

    /** What follows on this connection may be anybody's, so nothing does. */
    private static RequestException refused(String why) {
        return RequestException.builder().type(DirectHandler.EventType.BAD_REQUEST).status(Status.BAD_REQUEST_400)
                .message(why).setKeepAlive(false).build();
    }
}
