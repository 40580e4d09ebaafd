package dev.imagen.api;

import io.helidon.common.buffers.BufferData;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Set;

/**
 * HTTP/1.1 as Helidon speaks it, over connections that do not wait for a slow client without end. Helidon itself has a
 * limit only for connections between two requests.
 */
final class PatientConnections implements ServerConnectionSelector {

    private final ServerConnectionSelector http;
    private final Duration patience;
    private final long mostBytes;
    private final Draining draining;

    /**
     * @param patience for a request to arrive whole, and for each piece of an answer to be taken
     * @param mostBytes of a request with a picture
     */
    PatientConnections(Http1Config config, Duration patience, long mostBytes, Draining draining) {
        this.http = Http1ConnectionSelector.builder().config(config).build();
        this.patience = patience;
        this.mostBytes = mostBytes;
        this.draining = draining;
    }

    @Override
    public int bytesToIdentifyConnection() {
        return http.bytesToIdentifyConnection();
    }

    @Override
    public Support supports(BufferData data) {
        return http.supports(data);
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return http.supportedApplicationProtocols();
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
        return http.connection(new PatientConnection(context, patience, mostBytes, draining));
    }
}
