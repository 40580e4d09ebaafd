package dev.imagen.config;

import java.util.Map;
import java.util.Optional;

/**
 * How a backend is offered.
 *
 * @param fallback the backend that makes a job's pictures where this one fails for the moment
 * @param prices by model; {@code *} is any other
 */
public record OfferSettings(Optional<String> fallback, Map<String, Price> prices) {

    /** Nothing is set. */
    public static final OfferSettings NONE = new OfferSettings(Optional.empty(), Map.of());

    /** Empty: nobody knows. */
    public Optional<Price> price(String model) {
        return Optional.ofNullable(prices.getOrDefault(model, prices.get("*")));
    }
}
