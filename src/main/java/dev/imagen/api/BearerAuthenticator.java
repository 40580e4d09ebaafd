package dev.imagen.api;

import dev.imagen.auth.ApiKeys;
import dev.imagen.auth.JwtVerifier;
import dev.imagen.auth.KeysUnavailableException;
import dev.imagen.auth.NotAuthenticException;
import dev.imagen.auth.Tickets;
import dev.imagen.config.AuthSettings;
import dev.imagen.database.Caller;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Callers who send {@code Authorization: Bearer} with a token or an API key (RFC 6750), or open a stream by a ticket.
 */
public final class BearerAuthenticator implements Authenticator {

    private static final System.Logger LOG = System.getLogger(BearerAuthenticator.class.getName());
    private static final Pattern BEARER = Pattern.compile("bearer +([\\x21-\\x7e]+) *", Pattern.CASE_INSENSITIVE);
    private static final String TICKET = "ticket";

    private final Optional<JwtVerifier> tokens;
    private final ApiKeys keys;
    private final Tickets tickets;

    /** @param tokens empty: only API keys are accepted */
    public BearerAuthenticator(Optional<JwtVerifier> tokens, ApiKeys keys, Tickets tickets) {
        this.tokens = tokens;
        this.keys = keys;
        this.tickets = tickets;
    }

    @Override
    public Caller caller(ServerRequest request) {
        return checked(shown(request));
    }

    /** An API key has no end; its caller has one, for the streams that it opens. */
    @Override
    public Identity identity(ServerRequest request) {
        var shown = shown(request);
        var caller = checked(shown);
        return new Identity(caller, tokens.isPresent() ? AuthSettings.Mode.JWT : AuthSettings.Mode.KEYS,
                caller.operates(), ApiKeys.isOne(shown) ? Optional.empty() : caller.until());
    }

    private String shown(ServerRequest request) {
        var shown = request.headers().first(HeaderNames.AUTHORIZATION).orElseThrow(() -> Problem.unauthenticated(
                "send the header Authorization: Bearer, and after it " + accepted(), Optional.empty()));
        var bearer = BEARER.matcher(shown);
        if (!bearer.matches()) {
            throw refused("the header Authorization must be Bearer, one space, and " + accepted());
        }
        return bearer.group(1);
    }

    private Caller checked(String shown) {
        try {
            return proved(shown);
        } catch (NotAuthenticException e) {
            throw refused(e.getMessage());
        } catch (KeysUnavailableException e) {
            LOG.log(Level.WARNING, e.getMessage());
            throw Problem.exception(Status.SERVICE_UNAVAILABLE_503,
                    "tokens cannot be checked now: their keys cannot be fetched; try again in a moment");
        }
    }

    private String accepted() {
        return tokens.isPresent() ? "a token or an API key" : "an API key";
    }

    private Caller proved(String shown) throws NotAuthenticException {
        if (ApiKeys.isOne(shown)) {
            return keys.caller(shown);
        }
        if (tokens.isEmpty()) {
            throw new NotAuthenticException("this is no API key, and nothing else is accepted here");
        }
        return tokens.get().caller(shown);
    }

    @Override
    public Caller watcher(ServerRequest request) {
        if (!request.query().contains(TICKET)) {
            return caller(request);
        }
        try {
            return tickets.redeem(request.query().get(TICKET));
        } catch (NotAuthenticException e) {
            throw refused(e.getMessage());
        }
    }

    private static ProblemException refused(String why) {
        return Problem.unauthenticated(why, Optional.of("invalid_token"));
    }
}
