package dev.imagen.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.api.Problem.FieldError;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** Reads the fields of a request's object, collecting every error instead of stopping at the first. */
final class Fields {

    private final ObjectNode object;
    private final Set<String> known = new TreeSet<>();
    private final List<FieldError> errors = new ArrayList<>();

    Fields(ObjectNode object) {
        this.object = object;
    }

    void refuse(String field, String detail) {
        errors.add(new FieldError(field, detail));
    }

    /** @throws ProblemException with all errors, fields that nobody read among them */
    void check() {
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) {
                refuse(name, "is no known field; known are " + String.join(", ", known));
            }
        });
        if (!errors.isEmpty()) {
            throw Problem.invalid(errors);
        }
    }

    /** Text of {@code min} to {@code max} characters (code points). */
    Optional<String> text(String field, int min, int max) {
        var value = present(field);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (!value.get().isTextual()) {
            return wrong(field, "must be a string");
        }
        var text = value.get().textValue();
        if (text.indexOf('\0') >= 0) {
            return wrong(field, "must not contain the NUL character (\\u0000)");
        }
        if (text.chars().anyMatch(c -> Character.isSurrogate((char) c)) && hasLoneSurrogate(text)) {
            return wrong(field, "must be valid Unicode: it has half of a surrogate pair");
        }
        int length = text.codePointCount(0, text.length());
        if (length < min || length > max) {
            return wrong(field, "must have " + min + " to " + max + " characters, has " + length);
        }
        return Optional.of(text);
    }

    private static boolean hasLoneSurrogate(String text) {
        return text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    /** A whole number from {@code min} to {@code max}. */
    Optional<Long> whole(String field, long min, long max) {
        var value = present(field);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (!value.get().isIntegralNumber() || !value.get().canConvertToLong() || value.get().longValue() < min
                || value.get().longValue() > max) {
            return wrong(field, "must be a whole number from " + min + " to " + max);
        }
        return Optional.of(value.get().longValue());
    }

    /** As {@link #whole}, within int. */
    Optional<Integer> integer(String field, int min, int max) {
        return whole(field, min, max).map(Long::intValue);
    }

    /** A number from {@code min} to {@code max}. */
    Optional<Double> number(String field, int min, int max) {
        var value = present(field);
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (!value.get().isNumber() || value.get().doubleValue() < min || value.get().doubleValue() > max) {
            return wrong(field, "must be a number from " + min + " to " + max);
        }
        return Optional.of(value.get().doubleValue());
    }

    /** One of these words. */
    Optional<String> oneOf(String field, List<String> words) {
        return text(field, 0, 1000).flatMap(text -> words.contains(text)
                ? Optional.of(text)
                : wrong(field, "must be one of " + String.join(", ", words)));
    }

    Optional<Boolean> flag(String field) {
        return present(field).flatMap(
                value -> value.isBoolean() ? Optional.of(value.booleanValue()) : wrong(field, "must be a boolean"));
    }

    Optional<UUID> uuid(String field) {
        return text(field, 0, 1000).flatMap(text -> {
            var parsed = Ids.parse(text);
            return parsed.isPresent() ? parsed : wrong(field, "must be a uuid");
        });
    }

    Optional<Instant> time(String field) {
        return text(field, 0, 100).flatMap(text -> {
            try {
                var time = OffsetDateTime.parse(text);
                if (time.getYear() < 1 || time.getYear() > 9999) {
                    return wrong(field, "must be a time in the years 1 to 9999");
                }
                return Optional.of(time.toInstant());
            } catch (DateTimeParseException e) {
                return wrong(field, "must be a time such as 2026-01-31T12:00:00Z");
            }
        });
    }

    /** An object of plain values, by their names; a value that is none is as it was sent. */
    Map<String, Object> values(String field, int mostBytes) {
        var value = present(field);
        if (value.isEmpty()) {
            return Map.of();
        }
        if (!(value.get() instanceof ObjectNode values)) {
            refuse(field, "must be an object");
            return Map.of();
        }
        if (values.toString().contains("\\u0000")) {
            refuse(field, "must not contain the NUL character (\\u0000)");
            return Map.of();
        }
        if (Json.bytes(values).length > mostBytes) {
            refuse(field, "must have at most " + mostBytes + " bytes");
            return Map.of();
        }
        return Json.values(values);
    }

    /** Whether it is there. */
    boolean has(String field) {
        return object.hasNonNull(field);
    }

    private Optional<JsonNode> present(String field) {
        known.add(field);
        return Optional.ofNullable(object.get(field)).filter(node -> !node.isNull());
    }

    private <T> Optional<T> wrong(String field, String detail) {
        refuse(field, detail);
        return Optional.empty();
    }
}
