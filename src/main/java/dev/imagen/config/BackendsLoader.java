package dev.imagen.config;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Reads the settings of backends: of the mock, and of those that a server elsewhere stands behind. */
final class BackendsLoader {

    private static final String COMFYUI = "comfyui";

    /** Off until their url or key is set. The first one that is set up is the default. */
    private static final List<String> REMOTE = List.of("openai", "automatic1111", COMFYUI, "replicate", "gemini",
            "fal");

    /** A server of these makes one picture at a time: more jobs would only stand before it. */
    private static final Set<String> ONE_AT_A_TIME = Set.of("automatic1111", COMFYUI);

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final int LONGEST_MODEL = 200;
    private static final int MOST_MODELS = 100;

    /** Limits of every backoff. */
    static final Duration SHORTEST_BACKOFF = Duration.ofMillis(1);
    static final Duration LONGEST_BACKOFF = Duration.ofHours(1);

    private final Keys keys;

    BackendsLoader(Keys keys) {
        this.keys = keys;
    }

    Settings.Backends backends() {
        var remote = new LinkedHashMap<String, List<RemoteBackendSettings>>();
        for (String name : REMOTE) {
            var servers = servers(name);
            if (!servers.isEmpty()) {
                remote.put(name, servers);
            }
        }
        var usual = remote.keySet().stream().findFirst().orElse("mock");
        var names = Stream.concat(remote.keySet().stream(), Stream.of("mock")).toList();
        return new Settings.Backends(keys.optional("backends.default").orElse(usual), remote,
                new OffersLoader(keys).offers(names), workflows(remote.containsKey(COMFYUI)));
    }

    private Optional<Path> workflows(boolean comfyUi) {
        var key = "backends.comfyui.workflows";
        if (keys.optional(key).isPresent() && !comfyUi) {
            throw new SettingsException(
                    Keys.named("backends.comfyui.url") + " must be set where " + Keys.named(key) + " is");
        }
        try {
            return keys.optional(key).map(Path::of);
        } catch (InvalidPathException e) {
            throw new SettingsException(Keys.named(key) + " is '" + keys.text(key) + "', must be the path of a folder");
        }
    }

    /** How jobs are worked on, by the name of the backend. */
    Map<String, BackendSettings> work() {
        var work = new LinkedHashMap<String, BackendSettings>();
        Stream.concat(Stream.of("mock"), REMOTE.stream()).forEach(name -> work.put(name, work(name)));
        return Map.copyOf(work);
    }

    private BackendSettings work(String name) {
        var prefix = "backends." + name + ".";
        var most = limit(prefix + "concurrency").or(
                () -> ONE_AT_A_TIME.contains(name) ? Optional.of(Math.max(1, servers(name).size())) : Optional.empty());
        return new BackendSettings(most, limit(prefix + "slots"),
                keys.optionalDuration(prefix + "timeout", SECOND, DAY),
                keys.optionalDuration(prefix + "backoff", SHORTEST_BACKOFF, LONGEST_BACKOFF));
    }

    private Optional<Integer> limit(String key) {
        return keys.optional(key).map(_ -> (int) keys.whole(key, 1, 10_000));
    }

    /** None: the backend is off. */
    private List<RemoteBackendSettings> servers(String name) {
        var prefix = "backends." + name + ".";
        var urls = keys.urls(prefix + "url");
        var key = keys.headerSecret(prefix + "key");
        var models = models(prefix);
        if (urls.isEmpty() && key.isEmpty() && !models.isEmpty()) {
            throw new SettingsException(Keys.named(prefix + "key") + " or " + Keys.named(prefix + "url")
                    + " must be set where a model of the backend is");
        }
        if (urls.isEmpty()) {
            return key.map(only -> new RemoteBackendSettings(Optional.empty(), Optional.of(only), models)).stream()
                    .toList();
        }
        return urls.stream().map(url -> new RemoteBackendSettings(Optional.of(url), key, models)).toList();
    }

    /** The default one first, whether or not the list names it again. */
    private List<String> models(String prefix) {
        var models = new LinkedHashSet<String>();
        keys.optional(prefix + "model").ifPresent(model -> models.add(model(prefix + "model", model)));
        for (String model : keys.list(prefix + "models")) {
            models.add(model(prefix + "models", model));
        }
        if (models.size() > MOST_MODELS) {
            throw new SettingsException(
                    Keys.named(prefix + "models") + " has " + models.size() + ", must have at most " + MOST_MODELS);
        }
        return List.copyOf(models);
    }

    private static String model(String key, String model) {
        if (model.isEmpty() || model.length() > LONGEST_MODEL || model.chars().anyMatch(Character::isISOControl)) {
            throw new SettingsException(Keys.named(key) + " has '" + model + "', must be 1 to " + LONGEST_MODEL
                    + " characters, and no control characters");
        }
        return model;
    }
}
