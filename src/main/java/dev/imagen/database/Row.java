package dev.imagen.database;

import java.math.BigDecimal;
import java.sql.Array;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/** One row of an answer, read the same way whether DbClient or a caller's transaction fetched it. */
public interface Row {

    /** The driver's object for this column, or null. */
    Object value(String column);

    /** Whether the column is null. */
    default boolean isNull(String column) {
        return value(column) == null;
    }

    /** A uuid column. */
    default UUID uuid(String column) {
        return (UUID) value(column);
    }

    /** A text column. */
    default String text(String column) {
        return (String) value(column);
    }

    /** A smallint, int or numeric column within int. */
    default int integer(String column) {
        return ((Number) value(column)).intValue();
    }

    /** Any whole number column. */
    default long whole(String column) {
        return ((Number) value(column)).longValue();
    }

    /** A numeric column. */
    default BigDecimal decimal(String column) {
        return (BigDecimal) value(column);
    }

    /** A boolean column. */
    default boolean flag(String column) {
        return (Boolean) value(column);
    }

    /** A bytea column. */
    default byte[] bytes(String column) {
        return (byte[]) value(column);
    }

    /** A timestamptz column. */
    default Instant instant(String column) {
        return ((Timestamp) value(column)).toInstant();
    }

    /** A nullable text column. */
    default Optional<String> optionalText(String column) {
        return Optional.ofNullable(text(column));
    }

    /** A nullable json or jsonb column, as text. */
    default Optional<String> optionalJson(String column) {
        // An object of the driver's own, which prints itself as what it holds.
        return Optional.ofNullable(value(column)).map(Object::toString);
    }

    /** A nullable uuid column. */
    default Optional<UUID> optionalUuid(String column) {
        return Optional.ofNullable(uuid(column));
    }

    /** A nullable int column. */
    default Optional<Integer> optionalInteger(String column) {
        return Optional.ofNullable((Number) value(column)).map(Number::intValue);
    }

    /** A nullable bigint column. */
    default Optional<Long> optionalWhole(String column) {
        return Optional.ofNullable((Number) value(column)).map(Number::longValue);
    }

    /** A nullable double precision column. */
    default Optional<Double> optionalDouble(String column) {
        return Optional.ofNullable((Double) value(column));
    }

    /** A nullable timestamptz column. */
    default Optional<Instant> optionalInstant(String column) {
        return Optional.ofNullable((Timestamp) value(column)).map(Timestamp::toInstant);
    }

    /** An array column; null is an empty list. */
    default <T> List<T> list(String column, Class<T> type) {
        var array = (Array) value(column);
        if (array == null) {
            return List.of();
        }
        try {
            return Stream.of((Object[]) array.getArray()).map(type::cast).toList();
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }
}
