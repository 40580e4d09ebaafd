package dev.imagen.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
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

    /** Sets a setting until the transaction ends. */
    public void set(String name, String value) throws SQLException {
        query("select set_config(?, ?, true)", _ -> true, name, value);
    }

    /** All rows of one statement. */
    public <T> List<T> query(String sql, Function<Row, T> mapper, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            try (ResultSet result = statement.executeQuery()) {
                return rows(result, mapper);
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
