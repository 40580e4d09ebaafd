package dev.imagen.backend;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The backends that this process offers. */
public final class Backends implements AutoCloseable {

    private final Map<String, ImageBackend> byName = new LinkedHashMap<>();

    /**
     * @param defaultName the backend of jobs that name none
     * @throws IllegalArgumentException when it is not among them
     */
    public Backends(String defaultName, Collection<ImageBackend> backends) {
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

    /** What a client may do about a name that is not among them. */
    public String unknown(String name) {
        return "\"" + name + "\" is unknown: use one of " + String.join(", ", byName.keySet());
    }

    /** Lets them end what they have begun. */
    @Override
    public void close() {
        byName.values().forEach(ImageBackend::close);
    }
}
