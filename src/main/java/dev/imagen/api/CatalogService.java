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
            var node = list.addObject().put("name", info.name()).put("default",
                    info.name().equals(backends.names().getFirst()));
            info.models().forEach(node.putArray("models")::add);
            node.putObject("defaults").put("model", info.models().getFirst()).put("width", info.defaults().width())
                    .put("height", info.defaults().height()).put("steps", info.defaults().steps());
            var parameters = node.putArray("parameters");
            info.parameters().forEach(parameter -> parameters.add(ParameterJson.of(parameter)));
            node.putObject("limits").put("min_side", info.limits().minSide()).put("max_side", info.limits().maxSide())
                    .put("max_pixels", info.limits().maxPixels()).put("max_steps", info.limits().maxSteps());
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
