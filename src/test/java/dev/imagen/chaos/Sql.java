package dev.imagen.chaos;

import dev.imagen.config.Login;
import dev.imagen.testing.TestDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** The test's own way into the database: each call a connection of its own, since servers come and go here. */
record Sql(Login login) {

    /** Runs a statement. */
    void execute(String sql, Object... parameters) throws SQLException {
        try (var connection = connect(); var statement = prepare(connection, sql, parameters)) {
            statement.execute();
        }
    }

    /** The rows of a query, by column. */
    List<Map<String, Object>> rows(String sql, Object... parameters) throws SQLException {
        try (var connection = connect();
                var statement = prepare(connection, sql, parameters);
                var result = statement.executeQuery()) {
            return TestDatabase.rows(result);
        }
    }

    /** The only row. */
    Map<String, Object> row(String sql, Object... parameters) throws SQLException {
        var rows = rows(sql, parameters);
        if (rows.size() != 1) {
            throw new AssertionError(rows.size() + " rows instead of one: " + sql);
        }
        return rows.getFirst();
    }

    /** The only number of the only row. */
    long number(String sql, Object... parameters) throws SQLException {
        return ((Number) row(sql, parameters).values().iterator().next()).longValue();
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(login.url(), login.username(), login.password());
    }

    private static PreparedStatement prepare(Connection connection, String sql, Object... parameters)
            throws SQLException {
        var statement = connection.prepareStatement(sql);
        for (int i = 0; i < parameters.length; i++) {
            statement.setObject(i + 1, parameters[i]);
        }
        return statement;
    }
}
