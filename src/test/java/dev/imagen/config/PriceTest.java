package dev.imagen.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class PriceTest {

    private static Price price(String image, String megapixel, String second, String input, String output) {
        return new Price(new BigDecimal(image), new BigDecimal(megapixel), new BigDecimal(second),
                new BigDecimal(input), new BigDecimal(output));
    }

    @Test
    void pictures_pixels_and_seconds_add_up() {
        assertThat(price("0.01", "0.1", "0.001", "0", "0").of(2, 3_000_000, Duration.ofMillis(1500)))
                .isEqualByComparingTo("0.3215");
    }

    @Test
    void tokens_are_priced_by_the_million() {
        assertThat(price("1", "1", "1", "5", "40").ofTokens(100_000, 1)).isEqualByComparingTo("0.50004");
    }
}
