package dev.imagen.config;

import io.helidon.config.Config;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Typed reads of configuration keys; each refusal names the key, its environment variable and the limit. */
final class Keys {

    /** How a secret that is in a file is referred to. */
    private static final String FILE = "file:";

    /** As RFC 6454 serialises it: a browser sends nothing else, so nothing else would ever match. */
    private static final Pattern ORIGIN = Pattern.compile(
            "(http(?!.*:80$)|https(?!.*:443$))://([a-z0-9-]+(\\.[a-z0-9-]+)*|\\[[0-9a-f:.]+])(:[1-9][0-9]{0,4})?");

    private static final Pattern HOST_NAME = Pattern.compile("[a-z0-9_-]+(\\.[a-z0-9_-]+)*");
    private static final Pattern VISIBLE = Pattern.compile("[!-~]+");

    private final Config config;

    Keys(Config config) {
        this.config = config;
    }

    static String named(String key) {
        return key + " (" + key.toUpperCase(Locale.ROOT).replace('.', '_') + ")";
    }

    /** A key that a user's file has and the defaults lack is a typing error, except for new styles. */
    static void refuseUnknown(Config user, Config defaults, Path file) {
        user.traverse().filter(Config::isLeaf).map(node -> node.key().toString())
                .filter(key -> !key.startsWith("styles.")).filter(key -> !defaults.get(key).exists()).findFirst()
                .ifPresent(key -> {
                    throw new SettingsException(file + ": unknown setting " + key);
                });
    }

    Optional<String> optional(String key) {
        return config.get(key).asString().asOptional().map(String::strip).filter(value -> !value.isEmpty());
    }

    String text(String key) {
        return optional(key).orElseThrow(() -> new SettingsException(named(key) + " must not be empty"));
    }

    /** A secret, or with {@code file:} before it the file that holds it. */
    Optional<Secret> secret(String key) {
        return optional(key)
                .map(value -> value.startsWith(FILE) ? fromFile(key, value.substring(FILE.length())) : value)
                .map(Secret::new);
    }

    private static String fromFile(String key, String file) {
        try {
            var content = Files.readString(Path.of(file)).strip();
            if (content.isEmpty()) {
                throw new SettingsException(named(key) + " names the file " + file + ", which is empty");
            }
            return content;
        } catch (IOException | InvalidPathException e) {
            throw new SettingsException(named(key) + " names the file " + file + ", which cannot be read: make it"
                    + " readable for this process, or leave out " + FILE + " if this is the secret itself");
        }
    }

    /** A secret that goes into a header. */
    Optional<Secret> headerSecret(String key) {
        var secret = secret(key);
        if (secret.isPresent() && !VISIBLE.matcher(secret.get().value()).matches()) {
            throw new SettingsException(named(key) + " must be one line of visible ASCII characters");
        }
        return secret;
    }

    /** The URL of a server, without a slash at its end. The refusal does not show it: a user in it has a password. */
    URI url(String key) {
        return url(key, text(key));
    }

    /** URLs separated by commas, each once. */
    List<URI> urls(String key) {
        var urls = list(key).stream().map(text -> url(key, text)).toList();
        if (urls.stream().distinct().count() < urls.size()) {
            throw new SettingsException(named(key) + " has a URL twice, must have each server once");
        }
        return urls;
    }

    private static URI url(String key, String text) {
        try {
            var url = URI.create(text.replaceFirst("/+$", ""));
            if (url.getScheme() != null && url.getScheme().matches("https?") && url.getHost() != null
                    && url.getRawUserInfo() == null && url.getRawQuery() == null && url.getRawFragment() == null) {
                return url;
            }
        } catch (IllegalArgumentException e) {
            // Refused below.
        }
        throw new SettingsException(named(key) + " must be a URL such as https://host or http://host:port/path,"
                + " without a user, a query or a fragment");
    }

    /** What commas separate, without the white space around it. */
    List<String> list(String key) {
        return optional(key).map(list -> Stream.of(list.split(",", -1)).map(String::strip).toList()).orElse(List.of());
    }

    /** The value with its spaces; empty where there is none. */
    String raw(String key) {
        return config.get(key).asString().orElse("");
    }

    List<String> children(String key) {
        return config.get(key).asNodeList().orElse(List.of()).stream().map(Config::name).toList();
    }

    boolean flag(String key) {
        return oneOf(key, "true", "false").equals("true");
    }

    String oneOf(String key, String... allowed) {
        var value = text(key).toLowerCase(Locale.ROOT);
        if (!List.of(allowed).contains(value)) {
            throw new SettingsException(named(key) + " is '" + value + "', must be " + String.join(" or ", allowed));
        }
        return value;
    }

    long whole(String key, long min, long max) {
        long value = parsed(key, Long::valueOf, "a whole number from " + min + " to " + max);
        if (value < min || value > max) {
            throw new SettingsException(named(key) + " is " + value + ", must be from " + min + " to " + max);
        }
        return value;
    }

    BigDecimal dollars(String key, BigDecimal max) {
        var value = parsed(key, BigDecimal::new, "an amount such as 12.50");
        if (value.signum() < 0 || value.compareTo(max) > 0 || value.scale() > 6) {
            throw new SettingsException(
                    named(key) + " is " + value + ", must be from 0 to " + max + " with at most six decimals");
        }
        return value;
    }

    double fraction(String key) {
        double value = parsed(key, Double::valueOf, "a number from 0.0 to 1.0");
        if (!(value >= 0 && value <= 1)) {
            throw new SettingsException(named(key) + " is " + value + ", must be from 0.0 to 1.0");
        }
        return value;
    }

    Duration duration(String key, Duration min, Duration max) {
        var value = parsed(key, Duration::parse, "a duration such as PT5S, PT5M or P30D");
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw new SettingsException(named(key) + " is " + value + ", must be from " + min + " to " + max);
        }
        return value;
    }

    Optional<Duration> optionalDuration(String key, Duration min, Duration max) {
        return optional(key).map(_ -> duration(key, min, max));
    }

    /** Web origins, separated by commas, as browsers write them. */
    Set<String> origins(String key) {
        var origins = new LinkedHashSet<String>();
        for (String origin : optional(key).map(list -> list.split(",")).orElse(new String[0])) {
            if (!ORIGIN.matcher(origin.strip()).matches()) {
                throw new SettingsException(named(key) + " has '" + origin.strip() + "', must be a list of origins such"
                        + " as https://app.example.com,http://localhost:3000: in lower case, without a path, without"
                        + " the port 443 of https and 80 of http, and without *");
            }
            origins.add(origin.strip());
        }
        return Collections.unmodifiableSet(origins);
    }

    /** Names of hosts, separated by commas; to be added to. */
    Set<String> names(String key) {
        var names = new LinkedHashSet<String>();
        for (String name : optional(key).map(list -> list.split(",")).orElse(new String[0])) {
            if (!HOST_NAME.matcher(name.strip()).matches()) {
                throw new SettingsException(named(key) + " has '" + name.strip() + "', must be a list of names such as"
                        + " images.example.com,imagen: in lower case, without a port and without *");
            }
            names.add(name.strip());
        }
        return names;
    }

    UUID uuid(String key) {
        return parsed(key, Keys::strictUuid, "a uuid such as 00000000-0000-4000-8000-000000000001");
    }

    /** Java's own parser would make another uuid of 1-1-1-1-1. */
    private static UUID strictUuid(String text) {
        var uuid = UUID.fromString(text);
        if (!uuid.toString().equalsIgnoreCase(text)) {
            throw new IllegalArgumentException(text);
        }
        return uuid;
    }

    private <T> T parsed(String key, Function<String, T> parser, String wanted) {
        var value = text(key);
        try {
            return parser.apply(value);
        } catch (IllegalArgumentException | DateTimeParseException e) {
            throw new SettingsException(named(key) + " is '" + value + "', must be " + wanted);
        }
    }
}
