package dev.imagen.backend;

import dev.imagen.config.OfferSettings;
import dev.imagen.config.Price;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The backends that this process offers. */
public final class Backends implements AutoCloseable {

    private static final Duration BETWEEN_PROBES = Duration.ofMinutes(1);

    private final Map<String, ImageBackend> byName = new LinkedHashMap<>();
    private final Map<String, OfferSettings> offers;
    private final Probes probes = new Probes(BETWEEN_PROBES);

    /** Without fallbacks and prices. */
    public Backends(String defaultName, Collection<ImageBackend> backends) {
        this(defaultName, backends, Map.of());
    }

    /**
     * @param defaultName the backend of jobs that name none
     * @param offers by name
     * @throws IllegalArgumentException when it is not among them
     */
    public Backends(String defaultName, Collection<ImageBackend> backends, Map<String, OfferSettings> offers) {
        this.offers = offers;
        for (ImageBackend backend : backends) {
            if (backend.info().name().equals(defaultName)) {
                byName.put(defaultName, backend);
            }
        }
        backends.forEach(backend -> byName.putIfAbsent(backend.info().name(), backend));
        if (!byName.containsKey(defaultName)) {
            throw new IllegalArgumentException("backends.default (BACKENDS_DEFAULT) is '" + defaultName
                    + "', must be one of " + String.join(", ", byName.keySet()));
        }
    }

    /** Their names, the default first. */
    public List<String> names() {
        return List.copyOf(byName.keySet());
    }

    /** What they offer, the default first. */
    public List<BackendInfo> infos() {
        return byName.values().stream().map(ImageBackend::info).toList();
    }

    /** The backend of this name. */
    public Optional<ImageBackend> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** The backend that stands in for this one, if one does. */
    public Optional<String> fallback(String name) {
        return offer(name).fallback();
    }

    /** What a model costs; empty: nobody knows. */
    public Optional<Price> price(String name, String model) {
        return offer(name).price(model);
    }

    private OfferSettings offer(String name) {
        return offers.getOrDefault(name, OfferSettings.NONE);
    }

    /** Begins to ask their servers how they are. */
    public void probe() {
        probes.start(byName.values());
    }

    /** How a backend's server was lately; empty: it was not asked yet. */
    public Optional<Health> health(String name) {
        return probes.of(name);
    }

    /** What a client may do about a name that is not among them. */
    public String unknown(String name) {
        return "\"" + name + "\" is unknown: use one of " + String.join(", ", byName.keySet());
    }

    /** Lets them end what they have begun. */
    @Override
    public void close() {
        probes.stop();
        byName.values().forEach(ImageBackend::close);
    }
}
