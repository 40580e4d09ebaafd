package dev.imagen.api;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Set;

/**
 * By which names the server may be called where only its address guards it. Any page can let its own name lead to this
 * machine (DNS rebinding): to the browser the service is then the page's own server, but the Host header still has the
 * page's name. With an address in that place nothing can be led elsewhere.
 */
final class HostNames implements Filter {

    private static final Status MISDIRECTED = Status.create(421, "Misdirected Request");

    private final Set<String> allowed;

    /** @param allowed in small letters, besides addresses, {@code localhost} and the names below it */
    HostNames(Set<String> allowed) {
        this.allowed = allowed;
    }

    @Override
    public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
        var host = request.headers().first(HeaderNames.HOST).orElse("");
        // Without one, as in HTTP/1.0, it is no browser.
        if (!host.isEmpty() && !allowed(name(host))) {
            throw Problem.exception(MISDIRECTED, "this server is not called that (Host): its operator can list the name"
                    + " in server.names (SERVER_NAMES)");
        }
        chain.proceed();
    }

    /** Without the port, and without the dot that may end a name. */
    private static String name(String host) {
        return host.toLowerCase(Locale.ROOT).replaceFirst(":\\d*$", "").replaceFirst("\\.$", "");
    }

    private boolean allowed(String name) {
        return name.equals("localhost") || name.endsWith(".localhost") || allowed.contains(name) || address(name);
    }

    private static boolean address(String name) {
        boolean brackets = name.startsWith("[") && name.endsWith("]");
        try {
            // No name of the DNS is an address too: its last part is never a number.
            InetAddress.ofLiteral(brackets ? name.substring(1, name.length() - 1) : name);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
