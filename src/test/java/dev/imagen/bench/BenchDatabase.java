package dev.imagen.bench;

import dev.imagen.config.Login;
import dev.imagen.config.Settings;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Migrations;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The database that is measured on, named by {@code JDBC_URL} in the environment, with {@code user=} a superuser;
 * nobody needs a password.
 */
record BenchDatabase(Login service, Login owner) {

    private static final String SERVICE = "imagen";

    static BenchDatabase fromEnvironment() {
        var url = System.getenv("JDBC_URL");
        var user = Pattern.compile("[?&]user=([^&]+)").matcher(url);
        if (!user.find()) {
            throw new IllegalArgumentException("JDBC_URL names no user: " + url);
        }
        var base = url.replaceFirst("\\?.*", "");
        return new BenchDatabase(new Login(base, SERVICE, ""), new Login(base, user.group(1), ""));
    }

    /** The service's login and schema. */
    void setUp() throws SQLException, IOException {
        if (one("select count(*) from pg_roles where rolname = '" + SERVICE + "'") == 0) {
            execute("create role " + SERVICE + " login");
        }
        new Migrations(settings(Map.of()).database().at(service, owner)).run();
    }

    /** The settings of a service, with files in a folder of their own. */
    Settings settings(Map<String, String> changed) throws IOException {
        var values = new HashMap<>(
                Map.of("imagen.home", Files.createTempDirectory("imagen-bench").toString(), "server.port", "0"));
        values.putAll(changed);
        return SettingsLoader.load(values);
    }

    /** A connection of whoever owns the tables, with prepared statements. */
    Connection open(String options) throws SQLException {
        return DriverManager.getConnection(owner.url() + "?prepareThreshold=1" + options, owner.username(),
                owner.password());
    }

    void execute(String sql) throws SQLException {
        try (var connection = open(""); var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    long one(String sql) throws SQLException {
        try (var connection = open("");
                var statement = connection.createStatement();
                var result = statement.executeQuery(sql)) {
            result.next();
            return result.getLong(1);
        }
    }
}
