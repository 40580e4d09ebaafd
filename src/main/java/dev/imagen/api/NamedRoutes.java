package dev.imagen.api;

import io.helidon.http.Method;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRoute;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.opentelemetry.api.trace.Span;

/** Routes whose handlers first tell the request's span which route it took: Helidon does not say it. */
final class NamedRoutes implements HttpRules {

    private final String prefix;
    private final HttpRules rules;

    private NamedRoutes(String prefix, HttpRules rules) {
        this.prefix = prefix;
        this.rules = rules;
    }

    /** The same service. @param prefix the path that it is registered with */
    static HttpService of(String prefix, HttpService service) {
        return rules -> service.routing(new NamedRoutes(prefix, rules));
    }

    @Override
    public HttpRules route(Method method, String path, Handler handler) {
        var route = (prefix + path).replace("//", "/").replaceFirst("(.)/$", "$1");
        rules.route(method, path, (request, response) -> {
            Span.current().updateName(method.text() + " " + route).setAttribute("http.route", route);
            handler.handle(request, response);
        });
        return this;
    }

    @Override
    public HttpRules route(HttpRoute route) {
        throw new IllegalArgumentException("a route needs a path");
    }

    @Override
    public HttpRules register(HttpService... services) {
        throw new IllegalArgumentException("services are registered one by one");
    }

    @Override
    public HttpRules register(String path, HttpService... services) {
        throw new IllegalArgumentException("services are registered one by one");
    }
}
