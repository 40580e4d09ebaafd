package dev.imagen.config;

import java.net.URI;
import java.util.List;
import java.util.Optional;

/**
 * How one server of a backend is reached; at least one of url and key is there.
 *
 * @param url without a slash at its end; empty: the provider's own
 * @param key empty: the server asks for none
 * @param models that jobs may name, the default first; empty: those that the backend knows by itself
 */
public record RemoteBackendSettings(Optional<URI> url, Optional<Secret> key, List<String> models) {}
