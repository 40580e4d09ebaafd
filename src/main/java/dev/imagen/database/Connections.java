package dev.imagen.database;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/** How the driver connects: nothing waits for ever, and a dead peer is noticed. */
final class Connections {

    /**
     * Every statement has its index and is prepared once: planning the claim anew each time costs more than running it.
     * A plan made while the table was empty must not scan it when it is full.
     */
    private static final String PLANS = " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off";

    private Connections() {}

    static Map<String, String> properties(DatabaseSettings settings) {
        var properties = new HashMap<>(common(settings.timeout()));
        if (settings.pooler()) {
            // PgBouncer refuses start-up options, and may give the next transaction another server's session.
            properties.put("prepareThreshold", "0");
            // The name goes with the start-up, which a pooler gives on with each transaction; without this the driver
            // sets it afterwards, in whichever session that reaches.
            properties.put("assumeMinServerVersion", "15");
        } else {
            properties.put("options", "-c statement_timeout=" + settings.timeout().toMillis() + PLANS);
            properties.put("prepareThreshold", "1");
        }
        return properties;
    }

    /** A connection outside the pool. */
    static Connection open(Login login, Duration timeout) throws SQLException {
        return open(login, common(timeout));
    }

    /** A connection whose statements may take any time to answer. */
    static Connection openUnhurried(Login owner) throws SQLException {
        var properties = new HashMap<>(common(Duration.ZERO));
        properties.put("socketTimeout", "0");
        return open(owner, properties);
    }

    /** Begins a transaction of the schema's owner without time limits, which sees every row or fails. */
    static void beginUnhurried(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        try (var statement = connection.createStatement()) {
            statement.execute("set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;"
                    + " set local row_security = off");
        }
    }

    /** A connection to wait for notifications on. */
    static Connection openListener(Login login) throws SQLException {
        var properties = new HashMap<>(common(Duration.ZERO));
        properties.put("socketFactory", ListenerSocketFactory.class.getName());
        return open(login, properties);
    }

    private static Connection open(Login login, Map<String, String> settings) throws SQLException {
        var properties = new Properties();
        properties.putAll(settings);
        if (!login.username().isEmpty()) {
            properties.put("user", login.username());
            properties.put("password", login.password());
        }
        return DriverManager.getConnection(login.url(), properties);
    }

    private static Map<String, String> common(Duration timeout) {
        return Map.of("ApplicationName", "imagen", "tcpKeepAlive", "true", "connectTimeout", "10", "loginTimeout", "10",
                // The server's own timeout comes first, so that its answer is not lost.
                "socketTimeout", String.valueOf(timeout.plusSeconds(10).toSeconds()));
    }
}
