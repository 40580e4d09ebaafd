package dev.imagen.api;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;

/** The page, at {@code /} and {@code /operate}, and its files. Everybody may have them: what they show is asked for. */
final class PageService implements HttpService {

    private static final Header KEEP = HeaderValues.createCached("Cache-Control",
            "public, max-age=31536000, immutable");
    private static final Header ASK_AGAIN = HeaderValues.createCached("Cache-Control", "no-cache");

    private static final Map<String, String> TYPES = Map.of("html", "text/html; charset=utf-8", "js",
            "text/javascript; charset=utf-8", "css", "text/css; charset=utf-8", "svg", "image/svg+xml", "jpg",
            "image/jpeg");

    private final PageFiles files = new PageFiles();
    private final Map<String, byte[]> compressed = new ConcurrentHashMap<>();
    private final Header policy;

    /** @param pictures origins that links to pictures lead to, besides this server */
    PageService(List<URI> pictures) {
        this.policy = HeaderValues.create("Content-Security-Policy", policy(pictures));
    }

    /** No inline script, nothing from elsewhere but pictures from the store. */
    private static String policy(List<URI> pictures) {
        var images = Stream.concat(Stream.of("'self'", "blob:", "data:"), pictures.stream().map(URI::toString))
                .collect(Collectors.joining(" "));
        return "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src " + images
                + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/", this::page).get("/operate", this::page).get("/page/{version}/{+file}", this::file);
    }

    private void page(ServerRequest request, ServerResponse response) {
        response.headers().set(ASK_AGAIN);
        send(request, response, "index.html", files.index());
    }

    private void file(ServerRequest request, ServerResponse response) {
        var path = request.path().pathParameters();
        var name = path.get("file");
        byte[] bytes = files.find(name)
                .orElseThrow(() -> Problem.exception(Status.NOT_FOUND_404, "the page has no such file"));
        // A page that was loaded before an update gets what there is now, but under the old name it is not kept.
        response.headers().set(path.get("version").equals(files.version()) ? KEEP : ASK_AGAIN);
        send(request, response, name, bytes);
    }

    private void send(ServerRequest request, ServerResponse response, String name, byte[] bytes) {
        var type = TYPES.get(name.substring(name.lastIndexOf('.') + 1));
        response.headers().set(policy);
        response.headers().set(HeaderNames.CONTENT_TYPE, type);
        response.headers().set(HeaderNames.VARY, "Origin, Accept-Encoding");
        boolean gzip = request.headers().values(HeaderNames.ACCEPT_ENCODING).stream()
                .anyMatch(accepted -> accepted.contains("gzip"));
        if (gzip && !type.equals("image/jpeg")) {
            response.headers().set(HeaderNames.CONTENT_ENCODING, "gzip");
            response.send(compressed.computeIfAbsent(name, _ -> compress(bytes)));
        } else {
            response.send(bytes);
        }
    }

    private static byte[] compress(byte[] bytes) {
        var compressed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(compressed)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return compressed.toByteArray();
    }
}
