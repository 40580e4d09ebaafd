package dev.imagen.backend.openai;

import com.sun.net.httpserver.HttpServer;
import dev.imagen.testing.ContractServer;
import dev.imagen.testing.SampleImages;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A host that has pictures and no business with keys. */
final class KeyWatch implements AutoCloseable {

    private final HttpServer server;
    private final List<Optional<String>> authorizations = new CopyOnWriteArrayList<>();

    KeyWatch() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                authorizations.add(Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization")));
                ContractServer.send(exchange, 200, "image/png", SampleImages.png(40, 30));
            }
        });
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    List<Optional<String>> authorizations() {
        return authorizations;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
