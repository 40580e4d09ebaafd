package dev.imagen.job;

import java.math.BigDecimal;
import java.util.Optional;

/**
 * What a provider says an attempt used; empty where it says nothing.
 *
 * @param inputTokens of the request
 * @param outputTokens of the answer
 * @param costUsd in US dollars
 */
public record Metered(Optional<Long> inputTokens, Optional<Long> outputTokens, Optional<BigDecimal> costUsd) {

    /** The provider says nothing. */
    public static final Metered NOTHING = new Metered(Optional.empty(), Optional.empty(), Optional.empty());
}
