package dev.imagen;

import dev.imagen.config.AuthSettings;
import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Settings;
import dev.imagen.database.EmbeddedPostgres.EmbeddedLogins;
import java.lang.System.Logger.Level;
import java.util.Optional;

/**
 * What a person sees when the service is ready: where it is, and two lines to paste; in a log of JSON the first alone.
 */
final class Banner {

    private static final System.Logger LOG = System.getLogger(Banner.class.getName());

    private Banner() {}

    static void print(Settings settings, int port, Optional<EmbeddedLogins> embedded, DatabaseSettings database) {
        var address = "http://" + host(settings.server().host()) + ":" + port;
        if (settings.jsonLogs()) {
            LOG.log(Level.INFO, "ImaGen is ready: {0}", address);
            return;
        }
        var psql = embedded.map(EmbeddedLogins::psqlUrl).orElseGet(() -> psqlUrl(database));
        System.out.println("""

                ImaGen is ready: %1$s

                  Make an image in a browser, at this address, or with curl:
                    curl -s %1$s/jobs%4$s -H 'Content-Type: application/json' -H 'Prefer: wait=30' \
                -d '{"prompt": "a lighthouse at dawn"}'

                  or with SQL:
                    psql '%2$s' -c "insert into imagen.jobs (owner_user_id, prompt) values ('%3$s', \
                'a harbour at dusk') returning id"
                """.formatted(address, psql, settings.auth().owner(), proof(settings.auth().mode())));
    }

    /** What curl must show besides. */
    private static String proof(AuthSettings.Mode mode) {
        return switch (mode) {
            case NONE -> "";
            case JWT -> " -H \"Authorization: Bearer $TOKEN\"";
            case KEYS -> " -H \"Authorization: Bearer $IMAGEN_KEY\"";
        };
    }

    private static String host(String host) {
        if (host.equals("0.0.0.0") || host.equals("::")) {
            return "127.0.0.1";
        }
        return host.contains(":") ? "[" + host + "]" : host;
    }

    /** Without the URL's parameters, which may hold a password; psql asks for it or finds it in its own places. */
    private static String psqlUrl(DatabaseSettings database) {
        var login = database.service();
        var user = login.username().isEmpty() ? "" : login.username() + "@";
        return login.url().replaceFirst("^jdbc:postgresql:(//)?", "postgresql://" + user).replaceFirst("\\?.*", "");
    }
}
