package dev.imagen.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.jwk.source.RateLimitReachedException;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jwt.SignedJWT;
import dev.imagen.config.AuthSettings;
import dev.imagen.config.Secret;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The keys that tokens are signed with. The algorithm decides which keys are asked, never the token's word alone: HS256
 * only ever meets the secret, and the others only ever meet public keys.
 */
final class TokenKeys implements Closeable {

    private static final List<JWSAlgorithm> PUBLIC = List.of(JWSAlgorithm.RS256, JWSAlgorithm.ES256, JWSAlgorithm.EdDSA,
            JWSAlgorithm.Ed25519);

    private static final Duration LONGEST_FETCH = Duration.ofSeconds(5);
    private static final int MOST_BYTES = 256 * 1024;

    private final Optional<Secret> secret;
    private final Optional<JWKSource<SecurityContext>> published;
    private volatile boolean fetched;

    /**
     * When published keys are fetched.
     *
     * @param fresh how long they are used without a question
     * @param ahead so long before that ends they are fetched again, and no request waits for it
     * @param patience the longest that a request waits for a fetch; with {@code ahead} no longer than {@code fresh}
     * @param between a token with an unknown key id has the keys fetched, but no more than twice within this time
     * @param outage how long old keys stay good while new ones cannot be fetched
     */
    record Fetching(Duration fresh, Duration ahead, Duration patience, Duration between, Duration outage) {

        static final Fetching USUAL = new Fetching(Duration.ofMinutes(10), Duration.ofMinutes(2),
                LONGEST_FETCH.multipliedBy(3), Duration.ofSeconds(30), Duration.ofHours(4));
    }

    TokenKeys(AuthSettings.Jwt settings, Fetching fetching) {
        this.secret = settings.secret();
        this.published = settings.jwks().map(jwks -> source(jwks, fetching));
    }

    private static JWKSource<SecurityContext> source(URI jwks, Fetching fetching) {
        int millis = (int) LONGEST_FETCH.toMillis();
        try {
            return JWKSourceBuilder.create(jwks.toURL(), new DefaultResourceRetriever(millis, millis, MOST_BYTES))
                    .cache(fetching.fresh().toMillis(), fetching.patience().toMillis())
                    .refreshAheadCache(fetching.ahead().toMillis(), true).rateLimited(fetching.between().toMillis())
                    .retrying(true).outageTolerant(fetching.outage().toMillis()).build();
        } catch (MalformedURLException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether one of the keys signed it. */
    boolean signed(SignedJWT jwt) throws JOSEException {
        var algorithm = jwt.getHeader().getAlgorithm();
        if (JWSAlgorithm.HS256.equals(algorithm)) {
            return secret.isPresent()
                    && jwt.verify(new MACVerifier(secret.get().value().getBytes(StandardCharsets.UTF_8)));
        }
        if (published.isEmpty() || !PUBLIC.contains(algorithm)) {
            return false;
        }
        for (JWK key : candidates(jwt)) {
            if (jwt.verify(verifier(key))) {
                return true;
            }
        }
        return false;
    }

    private List<JWK> candidates(SignedJWT jwt) {
        try {
            var found = published.orElseThrow().get(new JWKSelector(JWKMatcher.forJWSHeader(jwt.getHeader())), null);
            fetched = true;
            return found;
        } catch (RateLimitReachedException e) {
            if (!fetched) {
                // There was nothing to look in: that says nothing about the token.
                throw new KeysUnavailableException(e);
            }
            // The keys were fetched a moment ago, and this one is not among them.
            return List.of();
        } catch (KeySourceException e) {
            throw new KeysUnavailableException(e);
        }
    }

    private static JWSVerifier verifier(JWK key) throws JOSEException {
        return switch (key) {
            case RSAKey rsa -> new RSASSAVerifier(rsa);
            case ECKey ec -> new ECDSAVerifier(ec);
            case OctetKeyPair pair -> new EdDsaVerifier(pair);
            default -> throw new JOSEException("no public key");
        };
    }

    @Override
    public void close() {
        published.filter(Closeable.class::isInstance).map(Closeable.class::cast).ifPresent(source -> {
            try {
                source.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }
}
