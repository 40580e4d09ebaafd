package dev.imagen.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A caller's transaction. */
public final class Session {

    /** A caller does not wait long for a row that somebody holds: there are others who want this connection. */
    private static final String BECOME = """
            select set_config('role', ?, true), set_config('request.jwt.claims', ?, true),
                   set_config('lock_timeout', '5s', true)
            """;

    private final Connection connection;

    Session(Connection connection) {
        this.connection = connection;
    }

    void become(Caller caller) throws SQLException {
        query(BECOME, _ -> true, caller.role(), caller.claims());
    }

    /** All rows of one statement. */
    public <T> List<T> query(String sql, Function<Row, T> mapper, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, 1, parameters);
            try (ResultSet result = statement.executeQuery()) {
                return rows(result, mapper);
            }
        }
    }

    /**
     * The rows of the last statement of {@code sql}, in a transaction of the caller on a connection that is in none.
     * The driver sends all in one round trip, or in several where it has to, so the transaction is an explicit one:
     * without it the role would end at each trip.
     */
    <T> List<T> queryAs(Caller caller, String sql, Function<Row, T> mapper, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("begin;" + BECOME + ";" + sql + ";commit")) {
            bind(statement, 1, caller.role(), caller.claims());
            bindTyped(statement, 3, parameters);
            return rows(lastResult(statement), mapper);
        } catch (SQLException e) {
            rollBack(e);
            throw e;
        }
    }

    private static ResultSet lastResult(PreparedStatement statement) throws SQLException {
        ResultSet last = null;
        for (boolean rows = statement.execute(); rows
                || statement.getUpdateCount() >= 0; rows = statement.getMoreResults(Statement.KEEP_CURRENT_RESULT)) {
            last = rows ? statement.getResultSet() : last;
        }
        return last;
    }

    /** The pool would not: to it the connection is in no transaction. */
    private void rollBack(SQLException cause) {
        try (var statement = connection.createStatement()) {
            statement.execute("rollback");
        } catch (SQLException e) {
            // The connection is gone, and its transaction with it.
            cause.addSuppressed(e);
        }
    }

    private static void bind(PreparedStatement statement, int first, Object... parameters) throws SQLException {
        for (int i = 0; i < parameters.length; i++) {
            statement.setObject(first + i, parameters[i]);
        }
    }

    /**
     * A null is one of text: with none of a type the driver would describe the statement first, in a trip of its own.
     */
    private static void bindTyped(PreparedStatement statement, int first, Object... parameters) throws SQLException {
        for (int i = 0; i < parameters.length; i++) {
            if (parameters[i] == null) {
                statement.setNull(first + i, Types.VARCHAR);
            } else {
                statement.setObject(first + i, parameters[i]);
            }
        }
    }

    /** The only row of one statement, if there is one. */
    public <T> Optional<T> one(String sql, Function<Row, T> mapper, Object... parameters) throws SQLException {
        return query(sql, mapper, parameters).stream().findFirst();
    }

    private static <T> List<T> rows(ResultSet result, Function<Row, T> mapper) throws SQLException {
        var rows = new ArrayList<T>();
        Row row = column -> value(result, column);
        while (result.next()) {
            rows.add(mapper.apply(row));
        }
        return rows;
    }

    static Object value(ResultSet result, String column) {
        try {
            return result.getObject(column);
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }
}
