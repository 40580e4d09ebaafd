package dev.imagen.backend;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Something that only one backend knows, and a job may set in its {@code params}.
 *
 * @param name as the provider calls it
 * @param description for a person
 * @param kind which values it takes
 */
public record Parameter(String name, String description, Kind kind) {

    /** Which values a parameter takes. */
    public sealed interface Kind {
        /** One of these texts. */
        record Choice(List<String> values) implements Kind {}

        /** Any text up to this many characters. */
        record Text(int longest) implements Kind {}

        /** A whole number. */
        record Whole(long min, long max) implements Kind {}

        /** A number. */
        record Decimal(double min, double max) implements Kind {}

        /** True or false. */
        record Flag() implements Kind {}

        /** A JSON object of anything. */
        record Fields() implements Kind {}
    }

    /** A parameter that takes one of these texts. */
    public static Parameter choice(String name, String description, String... values) {
        return new Parameter(name, description, new Kind.Choice(List.of(values)));
    }

    /** What is wrong with a value, such as "must be one of a, b"; empty: nothing. */
    public Optional<String> problem(Object value) {
        return switch (kind) {
            case Kind.Choice(var values) -> unless(value instanceof String && values.contains(value),
                    "must be one of " + String.join(", ", values));
            case Kind.Text(var longest) -> unless(value instanceof String text && text.length() <= longest,
                    "must be a text of up to " + longest + " characters");
            case Kind.Whole(var min, var max) ->
                unless(whole(value, min, max), "must be a whole number from " + min + " to " + max);
            case Kind.Decimal(var min, var max) ->
                unless(value instanceof Number number && number.doubleValue() >= min && number.doubleValue() <= max,
                        "must be a number from " + min + " to " + max);
            case Kind.Flag() -> unless(value instanceof Boolean, "must be true or false");
            case Kind.Fields() -> unless(value instanceof Map, "must be an object");
        };
    }

    private static boolean whole(Object value, long min, long max) {
        if (!(value instanceof Number)) {
            return false;
        }
        try {
            long number = new BigDecimal(value.toString()).longValueExact();
            return number >= min && number <= max;
        } catch (ArithmeticException e) {
            return false;
        }
    }

    private static Optional<String> unless(boolean right, String problem) {
        return right ? Optional.empty() : Optional.of(problem);
    }
}
