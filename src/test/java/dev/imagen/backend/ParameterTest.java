package dev.imagen.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.backend.Parameter.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ParameterTest {

    private static void assertTakes(Kind kind, List<Object> right, List<Object> wrong, String problem) {
        var parameter = new Parameter("p", "A parameter.", kind);
        assertThat(right).allSatisfy(value -> assertThat(parameter.problem(value)).isEmpty());
        assertThat(wrong).allSatisfy(value -> assertThat(parameter.problem(value)).contains(problem));
    }

    @Test
    void each_kind_takes_its_own_values_and_says_which() {
        assertTakes(new Kind.Choice(List.of("a", "b")), List.of("a", "b"), List.of("c", 1, true, List.of("a")),
                "must be one of a, b");
        assertTakes(new Kind.Text(3), List.of("", "abc"), List.of("abcd", 1), "must be a text of up to 3 characters");
        assertTakes(new Kind.Whole(1, 9), List.of(1, 9L, new BigDecimal("2.0"), BigInteger.TWO),
                List.of(0, 10, 1.5, "1", new BigDecimal("1e999999999"), new BigInteger("9".repeat(30))),
                "must be a whole number from 1 to 9");
        assertTakes(new Kind.Decimal(0, 1), List.of(0, 1, 0.5, new BigDecimal("0.25")),
                List.of(-0.1, 1.1, "0.5", new BigDecimal("1e400")), "must be a number from 0.0 to 1.0");
        assertTakes(new Kind.Flag(), List.of(true, false), List.of("true", 1), "must be true or false");
        assertTakes(new Kind.Fields(), List.of(Map.of(), Map.of("a", List.of(1, Map.of("b", 2)))),
                List.of("{}", 1, List.of(1)), "must be an object");
    }
}
