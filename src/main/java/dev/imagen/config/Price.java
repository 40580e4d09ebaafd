package dev.imagen.config;

import java.math.BigDecimal;
import java.time.Duration;

/**
 * What a model costs, in US dollars; what is not set is 0.
 *
 * @param image each picture
 * @param megapixel each million of its pixels
 * @param second each second of a call
 * @param input a million tokens of requests
 * @param output a million tokens of answers
 */
public record Price(BigDecimal image, BigDecimal megapixel, BigDecimal second, BigDecimal input, BigDecimal output) {

    private static final BigDecimal MILLION = BigDecimal.valueOf(1_000_000);

    /** What a call costs by its pictures, their pixels in all, and the time that it took. */
    public BigDecimal of(int images, long pixels, Duration time) {
        return image.multiply(BigDecimal.valueOf(images))
                .add(megapixel.multiply(BigDecimal.valueOf(pixels)).divide(MILLION))
                .add(second.multiply(BigDecimal.valueOf(time.toMillis(), 3)));
    }

    /** What its tokens cost. */
    public BigDecimal ofTokens(long inputTokens, long outputTokens) {
        return input.multiply(BigDecimal.valueOf(inputTokens)).add(output.multiply(BigDecimal.valueOf(outputTokens)))
                .divide(MILLION);
    }
}
