package dev.imagen.auth;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.Row;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;

/**
 * Tickets: a browser's EventSource sends no headers, and a token in a URL would end up in histories and logs. A ticket
 * in the URL opens one event stream, within a minute, in any process.
 */
public final class Tickets {

    private static final Duration LIFETIME = Duration.ofMinutes(1);

    /** Old ones that nobody used go with it, a few at a time. */
    private static final String ISSUE = """
            with old as (
                delete from imagen.tickets
                 where ticket_hash in (select ticket_hash from imagen.tickets where expires_at < now()
                                        order by expires_at limit 100 for update skip locked))
            insert into imagen.tickets (ticket_hash, role, claims, owner_user_id, caller_until, expires_at)
            values (decode(?, 'hex'), ?, ?, ?::uuid, ?::timestamptz, now() + ? * interval '1 second')
            returning expires_at
            """;

    private static final String REDEEM = """
            delete from imagen.tickets where ticket_hash = decode(?, 'hex') returning *, expires_at > now() as good
            """;

    private final Database database;

    /** Tickets of this database. */
    public Tickets(Database database) {
        this.database = database;
    }

    /** @param ticket to be shown now or never */
    public record Ticket(String ticket, Instant expiresAt) {}

    /** A ticket with which this caller opens one stream. */
    public Ticket issue(Caller caller) {
        var ticket = RandomToken.next("");
        var expires = database.one(ISSUE, row -> row.instant("expires_at"), RandomToken.hash(ticket), caller.role(),
                caller.claims(), caller.owner().orElse(null),
                caller.until().map(until -> until.atOffset(ZoneOffset.UTC)).orElse(null), LIFETIME.toSeconds());
        return new Ticket(ticket, expires.orElseThrow());
    }

    /**
     * The caller whose ticket this is; it is worth nothing afterwards.
     *
     * @throws NotAuthenticException when it is none, was used, or is too old
     */
    public Caller redeem(String ticket) throws NotAuthenticException {
        return database
                .one(REDEEM, row -> row.flag("good") ? Optional.of(caller(row)) : Optional.<Caller>empty(),
                        RandomToken.hash(ticket))
                .flatMap(caller -> caller)
                .orElseThrow(() -> new NotAuthenticException("the ticket is unknown, used or older than a minute"));
    }

    private static Caller caller(Row row) {
        return new Caller(row.text("role"), row.text("claims"), row.optionalUuid("owner_user_id"),
                row.optionalInstant("caller_until"));
    }
}
