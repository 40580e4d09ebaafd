package dev.imagen.testing;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A host that has pictures and no business with keys. */
public final class KeyWatch implements AutoCloseable {

    private final HttpServer server;
    private final List<Optional<String>> authorizations = new CopyOnWriteArrayList<>();

    /** It listens. */
    public KeyWatch() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                authorizations.add(Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization")));
                ContractServer.send(exchange, 200, "image/png", SampleImages.png(40, 30));
            }
        });
        server.start();
    }

    /** Where it is. */
    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** What each request showed for a key. */
    public List<Optional<String>> authorizations() {
        return authorizations;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
