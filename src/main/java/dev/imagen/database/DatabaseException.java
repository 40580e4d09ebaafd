package dev.imagen.database;

import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.Optional;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** A statement that failed, or whose answer was lost. */
public final class DatabaseException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final String state;
    private final transient ServerErrorMessage server;

    DatabaseException(SQLException cause) {
        super(message(cause), cause);
        this.state = Optional.ofNullable(cause.getSQLState()).orElse("");
        this.server = cause instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
    }

    /** The pool says only that it has no connection; why it gets none is in what it was caused by. */
    private static String message(SQLException e) {
        return e instanceof SQLTransientConnectionException && e.getCause() != null
                ? "no connection: " + e.getCause().getMessage()
                : e.getMessage();
    }

    DatabaseException(String message, Throwable cause) {
        super(message, cause);
        this.state = "";
        this.server = null;
    }

    /** The five-character SQLSTATE; empty where there was none. */
    public String state() {
        return state;
    }

    /** The name of the violated constraint. */
    public Optional<String> constraint() {
        return Optional.ofNullable(server).map(ServerErrorMessage::getConstraint);
    }

    /** The server's own words, without severity and position. */
    public String serverMessage() {
        return Optional.ofNullable(server).map(ServerErrorMessage::getMessage).orElse(getMessage());
    }

    /**
     * Whether the server refused the statement itself, rather than being away, overloaded or shutting down: classes 22
     * (data) and 23 (constraints), missing rights, and what the schema's functions raise: PT and a status of HTTP.
     */
    public boolean refused() {
        return state.startsWith("22") || state.startsWith("23") || state.equals("42501") || state.startsWith("PT4");
    }

    /** Whether the connection is gone: class 08, and a server that is stopped or ended the session. */
    public boolean lost() {
        return state.startsWith("08") || state.startsWith("57P");
    }
}
