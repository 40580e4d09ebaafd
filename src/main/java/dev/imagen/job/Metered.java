package dev.imagen.job;

import java.math.BigDecimal;
import java.util.Optional;
import java.util.function.BinaryOperator;

/**
 * What a provider says an attempt used; empty where it says nothing.
 *
 * @param inputTokens of the request
 * @param outputTokens of the answer
 * @param costUsd in US dollars
 */
public record Metered(Optional<Long> inputTokens, Optional<Long> outputTokens, Optional<BigDecimal> costUsd) {

    /** Of two calls for the same job. */
    public Metered plus(Metered other) {
        return new Metered(sum(inputTokens, other.inputTokens, Long::sum),
                sum(outputTokens, other.outputTokens, Long::sum), sum(costUsd, other.costUsd, BigDecimal::add));
    }

    private static <T> Optional<T> sum(Optional<T> one, Optional<T> other, BinaryOperator<T> add) {
        return one.isPresent() && other.isPresent()
                ? Optional.of(add.apply(one.get(), other.get()))
                : one.or(() -> other);
    }

    /** The provider says nothing. */
    public static final Metered NOTHING = new Metered(Optional.empty(), Optional.empty(), Optional.empty());
}
