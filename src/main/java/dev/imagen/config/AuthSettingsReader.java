package dev.imagen.config;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Reads and checks {@code auth}, and what of {@code server} depends on it. */
final class AuthSettingsReader {

    /** HS256 is as strong as its key, and takes no shorter one (RFC 7518, 3.2). */
    private static final int SHORTEST_SECRET = 32;

    private static final List<String> JWT = List.of("auth.jwt.secret", "auth.jwt.jwks", "auth.jwt.audience",
            "auth.jwt.issuer");

    private final Keys keys;

    AuthSettingsReader(Keys keys) {
        this.keys = keys;
    }

    AuthSettings read() {
        var mode = AuthSettings.Mode.valueOf(keys.oneOf("auth.mode", "none", "jwt", "keys").toUpperCase(Locale.ROOT));
        switch (mode) {
            case NONE -> checkNobodyElseReaches(keys.text("server.host"));
            case JWT, KEYS -> {
                // The caller is who the token or key says.
            }
        }
        return new AuthSettings(mode, keys.uuid("auth.owner"), jwt(mode));
    }

    private void checkNobodyElseReaches(String host) {
        if (!keys.flag("auth.open") && !loopback(host)) {
            throw new SettingsException("server.host (SERVER_HOST) is " + host
                    + ", but with auth.mode none whoever reaches the port is the owner of everything: use 127.0.0.1,"
                    + " set auth.mode (AUTH_MODE) to jwt or keys, or auth.open (AUTH_OPEN) to true if something else"
                    + " guards the port");
        }
    }

    /**
     * What requests may call the server where only its address guards it: there a web page that lets its own name lead
     * to this machine would be the owner of everything. Empty: anything.
     */
    Optional<Set<String>> names(AuthSettings.Mode mode) {
        var names = keys.names("server.names");
        if (mode != AuthSettings.Mode.NONE) {
            if (!names.isEmpty()) {
                throw new SettingsException(Keys.named("server.names") + " is set, but only in auth.mode (AUTH_MODE)"
                        + " none is the name looked at by which a request calls the server");
            }
            return Optional.empty();
        }
        var host = keys.text("server.host");
        if (names.isEmpty() && !loopback(host)) {
            return Optional.empty();
        }
        names.add(host.toLowerCase(Locale.ROOT));
        return Optional.of(Set.copyOf(names));
    }

    private static boolean loopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new SettingsException("server.host (SERVER_HOST): unknown host " + host);
        }
    }

    private Optional<AuthSettings.Jwt> jwt(AuthSettings.Mode mode) {
        if (mode != AuthSettings.Mode.JWT) {
            JWT.stream().filter(key -> keys.optional(key).isPresent()).findFirst().ifPresent(key -> {
                throw new SettingsException(Keys.named(key) + " is set, but no token is checked while auth.mode"
                        + " (AUTH_MODE) is " + keys.text("auth.mode") + ": set it to jwt");
            });
            return Optional.empty();
        }
        var secret = keys.secret("auth.jwt.secret");
        var jwks = keys.optional("auth.jwt.jwks").map(AuthSettingsReader::url);
        if (secret.isEmpty() && jwks.isEmpty()) {
            throw new SettingsException("auth.mode (AUTH_MODE) is jwt: set auth.jwt.jwks (AUTH_JWT_JWKS) to the URL of"
                    + " the public keys, or auth.jwt.secret (AUTH_JWT_SECRET) to the shared secret, that tokens are"
                    + " signed with");
        }
        secret.ifPresent(AuthSettingsReader::checkLength);
        return Optional.of(new AuthSettings.Jwt(secret, jwks, keys.optional("auth.jwt.audience"),
                keys.optional("auth.jwt.issuer")));
    }

    private static void checkLength(Secret secret) {
        int length = secret.value().getBytes(StandardCharsets.UTF_8).length;
        if (length < SHORTEST_SECRET) {
            throw new SettingsException("auth.jwt.secret (AUTH_JWT_SECRET) has " + length
                    + " bytes, must have at least " + SHORTEST_SECRET);
        }
    }

    private static URI url(String text) {
        try {
            var url = new URI(text);
            if (url.getHost() != null && List.of("http", "https").contains(url.getScheme())
                    && url.getRawUserInfo() == null) {
                return url;
            }
        } catch (URISyntaxException e) {
            // Said below.
        }
        throw new SettingsException("auth.jwt.jwks (AUTH_JWT_JWKS) must be a URL such as"
                + " https://<project>.supabase.co/auth/v1/.well-known/jwks.json, without a user");
    }
}
