package dev.imagen.config;

import java.util.Optional;

/**
 * What the REST API allows. An empty limit: any number.
 *
 * @param streams that an owner may have open at a time in this process
 * @param ownerRate requests of an owner within a minute
 * @param addressRate requests from an address within a minute
 */
public record ApiSettings(Optional<Integer> streams, Optional<Integer> ownerRate, Optional<Integer> addressRate) {

    /** No limits. */
    public static final ApiSettings UNLIMITED = new ApiSettings(Optional.empty(), Optional.empty(), Optional.empty());
}
