package dev.imagen.database;

import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import java.util.logging.Logger;

/**
 * Connects for the pool, which doubles its pause after each failure and would sleep on, up to five seconds, when the
 * server is back. So the pool is told of the first failure only, for whoever waits and wants to know why; from then on
 * it is waited for the server here. The pool makes this class by its name.
 */
public final class PatientDriver implements Driver {

    private static final Duration PAUSE = Duration.ofMillis(250);

    private final Driver postgres = new org.postgresql.Driver();
    private volatile boolean told;

    @Override
    public Connection connect(String url, Properties properties) throws SQLException {
        while (true) {
            try {
                var connection = postgres.connect(url, properties);
                told = false;
                return connection;
            } catch (SQLException e) {
                boolean away = new DatabaseException(e).lost();
                if (!away || !told || !pause()) {
                    told = away;
                    throw e;
                }
            }
        }
    }

    /** A server that is starting tells nobody when it is ready. @return false when the pool is being closed */
    private static boolean pause() {
        try {
            Thread.sleep(PAUSE);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public boolean acceptsURL(String url) throws SQLException {
        return postgres.acceptsURL(url);
    }

    @Override
    public DriverPropertyInfo[] getPropertyInfo(String url, Properties properties) throws SQLException {
        return postgres.getPropertyInfo(url, properties);
    }

    @Override
    public int getMajorVersion() {
        return postgres.getMajorVersion();
    }

    @Override
    public int getMinorVersion() {
        return postgres.getMinorVersion();
    }

    @Override
    public boolean jdbcCompliant() {
        return postgres.jdbcCompliant();
    }

    @Override
    public Logger getParentLogger() {
        return Logger.getLogger("org.postgresql");
    }
}
