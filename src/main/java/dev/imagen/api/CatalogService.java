package dev.imagen.api;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Backends;
import dev.imagen.pipeline.PromptStyles;
import io.helidon.http.Status;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;

/** {@code /backends} and {@code /styles}: what can be asked for. */
final class CatalogService implements HttpService {

    private final Backends backends;
    private final PromptStyles styles;
    private final Authenticator authenticator;

    CatalogService(Backends backends, PromptStyles styles, Authenticator authenticator) {
        this.backends = backends;
        this.styles = styles;
        this.authenticator = authenticator;
    }

    @Override
    public void routing(HttpRules rules) {
        rules.get("/backends", this::backends).get("/styles", this::styles);
    }

    private void backends(ServerRequest request, ServerResponse response) {
        authenticator.caller(request);
        var answer = Json.object();
        var list = answer.putArray("backends");
        for (BackendInfo info : backends.infos()) {
            list.add(BackendJson.of(info, backends));
        }
        Json.send(response, Status.OK_200, answer);
    }

    private void styles(ServerRequest request, ServerResponse response) {
        authenticator.caller(request);
        var answer = Json.object();
        var list = answer.putArray("styles");
        styles.all()
                .forEach((name, style) -> list.addObject().put("name", name).put("prefix", style.prefix())
                        .put("suffix", style.suffix()).put("negative", style.negative())
                        .put("width", style.width().orElse(null)).put("height", style.height().orElse(null)));
        Json.send(response, Status.OK_200, answer);
    }
}
