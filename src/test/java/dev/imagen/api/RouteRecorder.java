package dev.imagen.api;

import io.helidon.webserver.http.HttpRules;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Learns which routes services register, by being what they register them with. */
final class RouteRecorder {

    private static final Set<String> VERBS = Set.of("get", "post", "put", "patch", "delete", "head", "options");

    private final Set<String> recorded = new TreeSet<>();

    /** The routes of these services, as {@code GET /jobs/{id}}. */
    static Set<String> routes(List<ApiServer.Route> services) {
        var recorder = new RouteRecorder();
        services.forEach(route -> route.service().routing(recorder.rules(route.path())));
        return recorder.recorded;
    }

    private HttpRules rules(String prefix) {
        return (HttpRules) Proxy.newProxyInstance(HttpRules.class.getClassLoader(), new Class<?>[]{HttpRules.class},
                (proxy, method, arguments) -> record(prefix, proxy, method, arguments));
    }

    private Object record(String prefix, Object proxy, Method method, Object[] arguments) {
        if (!VERBS.contains(method.getName()) || !(arguments[0] instanceof String path)) {
            // A route that is registered in another way would be missed.
            throw new AssertionError("teach this recorder " + method);
        }
        var whole = (prefix + "/" + path).replaceAll("/+", "/").replaceFirst("(.)/$", "$1");
        recorded.add(method.getName().toUpperCase() + " " + whole);
        return proxy;
    }
}
