package dev.imagen.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.BadJWTException;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import dev.imagen.config.AuthSettings;
import dev.imagen.database.Caller;
import java.text.ParseException;
import java.util.Date;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Checks tokens (JWT, RFC 7519): first the signature, and only then what the token says. A token has an end; its
 * {@code role} is {@code authenticated}, with the owner's uuid as {@code sub}, or {@code service_role}.
 */
public final class JwtVerifier implements AutoCloseable {

    /** How far the clocks of the issuer and of this machine may be apart. */
    private static final int LEEWAY_SECONDS = 30;

    private static final Pattern UUID_TEXT = Pattern
            .compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");

    private final TokenKeys keys;
    private final DefaultJWTClaimsVerifier<?> times;
    private final Optional<String> audience;
    private final Optional<String> issuer;

    /** Fetches nothing yet. */
    public JwtVerifier(AuthSettings.Jwt settings) {
        this(settings, TokenKeys.Fetching.USUAL);
    }

    JwtVerifier(AuthSettings.Jwt settings, TokenKeys.Fetching fetching) {
        this.keys = new TokenKeys(settings, fetching);
        this.audience = settings.audience();
        this.issuer = settings.issuer();
        this.times = new DefaultJWTClaimsVerifier<>(null, Set.of("exp"));
        times.setMaxClockSkew(LEEWAY_SECONDS);
    }

    /**
     * Whom a token proves.
     *
     * @throws NotAuthenticException when it proves nobody
     * @throws KeysUnavailableException when that cannot be known now
     */
    public Caller caller(String token) throws NotAuthenticException {
        var claims = claims(signed(token));
        checkTimes(claims);
        checkIssuer(claims);
        var role = claim(claims, "role");
        return switch (role) {
            case "authenticated" -> {
                checkAudience(claims, true);
                yield caller(claims, role, Optional.of(owner(claims)));
            }
            case "service_role" -> {
                // Supabase's own service key has none.
                checkAudience(claims, !claims.getAudience().isEmpty());
                yield caller(claims, role, Optional.empty());
            }
            default -> throw new NotAuthenticException("the token's role must be authenticated or service_role");
        };
    }

    private SignedJWT signed(String token) throws NotAuthenticException {
        try {
            // Refuses one without a signature, alg none, too.
            var jwt = SignedJWT.parse(token);
            if (jwt.getState() == JWSObject.State.SIGNED && keys.signed(jwt)) {
                return jwt;
            }
        } catch (ParseException e) {
            throw new NotAuthenticException("the token is no signed JWT", e);
        } catch (JOSEException e) {
            throw new NotAuthenticException("the token's signature cannot be checked", e);
        }
        throw new NotAuthenticException("the token is not signed with a key and an algorithm that are accepted here");
    }

    private static JWTClaimsSet claims(SignedJWT jwt) throws NotAuthenticException {
        try {
            return Optional.ofNullable(jwt.getJWTClaimsSet())
                    .orElseThrow(() -> new NotAuthenticException("the token has no claims"));
        } catch (ParseException e) {
            throw new NotAuthenticException("the token's claims are not what they should be", e);
        }
    }

    private void checkTimes(JWTClaimsSet claims) throws NotAuthenticException {
        try {
            times.verify(claims, null);
        } catch (BadJWTException e) {
            throw new NotAuthenticException(claims.getExpirationTime() == null
                    ? "the token has no exp: it must have an end"
                    : claims.getExpirationTime().before(new Date())
                            ? "the token has expired: get a new one"
                            : "the token is not valid yet",
                    e);
        }
    }

    private void checkIssuer(JWTClaimsSet claims) throws NotAuthenticException {
        if (issuer.isPresent() && !issuer.get().equals(claims.getIssuer())) {
            throw new NotAuthenticException("the token is of another issuer (iss)");
        }
    }

    private void checkAudience(JWTClaimsSet claims, boolean needed) throws NotAuthenticException {
        if (needed && audience.isPresent() && !claims.getAudience().contains(audience.get())) {
            throw new NotAuthenticException("the token is for another audience (aud)");
        }
    }

    private static UUID owner(JWTClaimsSet claims) throws NotAuthenticException {
        var subject = claim(claims, "sub");
        if (!UUID_TEXT.matcher(subject).matches()) {
            throw new NotAuthenticException("the token's sub must be the owner's uuid");
        }
        return UUID.fromString(subject);
    }

    private static String claim(JWTClaimsSet claims, String name) {
        return claims.getClaim(name) instanceof String text ? text : "";
    }

    /** With all its claims, for policies of one's own. */
    private static Caller caller(JWTClaimsSet claims, String role, Optional<UUID> owner) throws NotAuthenticException {
        var json = claims.toString();
        // PostgreSQL has no text with this character, and would fail at each statement instead.
        if (json.contains("\\u0000")) {
            throw new NotAuthenticException("the token's claims contain the character NUL");
        }
        return new Caller(role, json, owner, Optional.of(claims.getExpirationTime().toInstant()));
    }

    @Override
    public void close() {
        keys.close();
    }
}
