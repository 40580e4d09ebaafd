package dev.imagen.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import dev.imagen.config.AuthSettings;
import dev.imagen.testing.TokenIssuer;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Date;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens of an identity provider that publishes its keys by HTTP. */
class JwtVerifierTest {

    private final TokenIssuer issuer = new TokenIssuer();
    private final UUID owner = UUID.randomUUID();
    private JwtVerifier verifier;

    @BeforeEach
    void open() {
        verifier = new JwtVerifier(issuer.settings());
    }

    @AfterEach
    void close() {
        verifier.close();
        issuer.close();
    }

    private JWTClaimsSet.Builder claims() {
        return TokenIssuer.claims(owner);
    }

    private void assertRefused(String token, String why) {
        assertThatExceptionOfType(NotAuthenticException.class).isThrownBy(() -> verifier.caller(token))
                .withMessageContaining(why);
    }

    static Stream<Named<Function<TokenIssuer, Function<JWTClaimsSet, String>>>> algorithms() {
        return Stream.of(Named.of("HS256", issuer -> issuer::hs256), Named.of("RS256", issuer -> issuer::rs256),
                Named.of("ES256", issuer -> issuer::es256),
                Named.of("EdDSA", issuer -> claims -> issuer.edDsa(claims, "EdDSA")),
                Named.of("Ed25519", issuer -> claims -> issuer.edDsa(claims, "Ed25519")));
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void a_token_proves_its_owner_until_its_end(Function<TokenIssuer, Function<JWTClaimsSet, String>> algorithm)
            throws NotAuthenticException {
        var end = Instant.now().plusSeconds(100).truncatedTo(ChronoUnit.SECONDS);
        var token = algorithm.apply(issuer).apply(claims().expirationTime(Date.from(end)).claim("team", "x").build());
        var caller = verifier.caller(token);
        assertThat(caller.owner()).contains(owner);
        assertThat(caller.role()).isEqualTo("authenticated");
        assertThat(caller.operates()).isFalse();
        assertThat(caller.until()).contains(end);
        assertThat(caller.claims()).contains("\"team\":\"x\"").contains(owner.toString());
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void what_was_changed_after_the_signature_is_refused(
            Function<TokenIssuer, Function<JWTClaimsSet, String>> algorithm) {
        var parts = algorithm.apply(issuer).apply(claims().build()).split("\\.");
        var other = TokenIssuer.part(TokenIssuer.claims(UUID.randomUUID()).build().toString());
        assertRefused(parts[0] + "." + other + "." + parts[2], "not signed with a key");
    }

    @Test
    void another_key_under_the_same_id_is_refused() throws JOSEException, NoSuchAlgorithmException {
        RSAKey otherRsa = new RSAKeyGenerator(2048).generate();
        var otherEd = KeyPairGenerator.getInstance("Ed25519").generateKeyPair().getPrivate();
        assertRefused(TokenIssuer.rs256(claims().build(), otherRsa), "not signed with a key");
        assertRefused(TokenIssuer.edDsa(claims().build(), "EdDSA", otherEd), "not signed with a key");
        assertRefused(TokenIssuer.hs256(claims().build(), new byte[32]), "not signed with a key");
    }

    /** The old trick: what everybody knows, as if it were the secret. */
    @Test
    void the_public_key_is_no_secret_for_hs256() throws JOSEException {
        byte[] der = issuer.rsa().toRSAPublicKey().getEncoded();
        var json = issuer.rsa().toPublicJWK().toString().getBytes(StandardCharsets.UTF_8);
        var pem = ("-----BEGIN PUBLIC KEY-----\n" + Base64.getMimeEncoder(64, new byte[]{'\n'}).encodeToString(der)
                + "\n-----END PUBLIC KEY-----\n").getBytes(StandardCharsets.UTF_8);
        var keysOnly = new JwtVerifier(
                new AuthSettings.Jwt(Optional.empty(), Optional.of(issuer.url()), Optional.empty(), Optional.empty()));
        for (byte[] secret : new byte[][]{der, json, pem}) {
            var forged = TokenIssuer.hs256(claims().build(), secret);
            assertRefused(forged, "not signed with a key");
            assertThatExceptionOfType(NotAuthenticException.class).isThrownBy(() -> keysOnly.caller(forged));
        }
        keysOnly.close();
    }

    @Test
    void with_a_secret_alone_no_other_algorithm_is_accepted() {
        var secretOnly = new JwtVerifier(
                new AuthSettings.Jwt(issuer.settings().secret(), Optional.empty(), Optional.empty(), Optional.empty()));
        assertThatExceptionOfType(NotAuthenticException.class)
                .isThrownBy(() -> secretOnly.caller(issuer.rs256(claims().build())));
        secretOnly.close();
    }

    @Test
    void a_token_without_a_signature_is_refused() {
        var token = TokenIssuer.unsigned(claims().build());
        assertRefused(token, "no signed JWT");
        assertRefused(token + "abc", "no signed JWT");
        var parts = issuer.token(owner).split("\\.");
        assertRefused(parts[0] + "." + parts[1] + ".", "no signed JWT");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "a.b", "a.b.c", "....", "e30.e30.e30", "{}"})
    void what_is_no_token_is_refused(String text) {
        assertRefused(text, "token");
    }

    @Test
    void an_extension_that_is_critical_and_unknown_is_refused() {
        var header = TokenIssuer.part("{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"crit\":[\"new\"],\"new\":1}");
        var parts = issuer.edDsa(claims().build(), "EdDSA").split("\\.");
        assertRefused(header + "." + parts[1] + "." + parts[2], "not signed with a key");
    }

    /** What comes twice one reader may take from the first, and another from the last. */
    @Test
    void what_is_said_twice_or_too_deep_is_refused() throws NotAuthenticException {
        var good = claims().build().toString();
        assertThat(verifier.caller(TokenIssuer.hs256(good)).owner()).contains(owner);
        var deep = "\"x\":" + "[".repeat(4000) + "]".repeat(4000);
        for (String more : new String[]{"\"sub\":\"" + UUID.randomUUID() + "\"", "\"role\":\"service_role\"", deep}) {
            assertRefused(TokenIssuer.hs256(good.replaceFirst("}$", "," + more + "}")), "claims");
        }
        var parts = issuer.token(owner).split("\\.");
        for (String header : new String[]{"{\"alg\":\"none\",\"alg\":\"HS256\"}", "{\"alg\":\"HS256\"," + deep + "}"}) {
            assertRefused(TokenIssuer.part(header) + "." + parts[1] + "." + parts[2], "no signed JWT");
        }
    }

    record Wrong(String why, Consumer<JWTClaimsSet.Builder> change) {}

    static Stream<Wrong> badClaims() {
        return Stream.of(new Wrong("the token has expired", claims -> claims.expirationTime(at(-60))),
                new Wrong("has no exp", claims -> claims.expirationTime(null)),
                new Wrong("not valid yet", claims -> claims.notBeforeTime(at(60))),
                new Wrong("another audience", claims -> claims.audience("other")),
                new Wrong("another audience", claims -> claims.audience((String) null)),
                new Wrong("sub must be the owner's uuid", claims -> claims.subject("me")),
                new Wrong("sub must be the owner's uuid", claims -> claims.subject("1-1-1-1-1")),
                new Wrong("sub must be the owner's uuid", claims -> claims.subject(null)),
                new Wrong("role must be", claims -> claims.claim("role", "anon")),
                new Wrong("role must be", claims -> claims.claim("role", "postgres")),
                new Wrong("role must be", claims -> claims.claim("role", 1)),
                new Wrong("role must be", claims -> claims.claim("role", null)),
                new Wrong("NUL", claims -> claims.claim("name", "a\u0000b")));
    }

    private static Date at(int seconds) {
        return Date.from(Instant.now().plusSeconds(seconds));
    }

    @ParameterizedTest
    @MethodSource("badClaims")
    void a_signed_token_that_says_the_wrong_thing_is_refused_with_the_reason(Wrong wrong) {
        var claims = claims();
        wrong.change().accept(claims);
        assertRefused(issuer.hs256(claims.build()), wrong.why());
    }

    @Test
    void clocks_may_be_some_seconds_apart() throws NotAuthenticException {
        assertThat(verifier.caller(issuer.hs256(claims().expirationTime(at(-10)).build())).owner()).contains(owner);
        assertThat(verifier.caller(issuer.hs256(claims().notBeforeTime(at(10)).build())).owner()).contains(owner);
    }

    @Test
    void the_service_needs_no_subject_and_no_audience_but_not_another_one() throws NotAuthenticException {
        var caller = verifier.caller(issuer.serviceToken());
        assertThat(caller.operates()).isTrue();
        assertThat(caller.owner()).isEmpty();
        assertRefused(issuer.hs256(claims().claim("role", "service_role").audience("other").build()),
                "another audience");
    }

    @Test
    void an_issuer_that_is_set_is_demanded() throws NotAuthenticException {
        var strict = new JwtVerifier(new AuthSettings.Jwt(issuer.settings().secret(), Optional.empty(),
                Optional.empty(), Optional.of("https://issuer")));
        assertThat(strict.caller(issuer.hs256(claims().issuer("https://issuer").build())).owner()).contains(owner);
        for (String other : new String[]{"https://other", null}) {
            assertThatExceptionOfType(NotAuthenticException.class)
                    .isThrownBy(() -> strict.caller(issuer.hs256(claims().issuer(other).build())))
                    .withMessageContaining("another issuer");
        }
        strict.close();
    }

    @Test
    void keys_are_fetched_once_for_many_tokens() throws NotAuthenticException {
        for (int i = 0; i < 20; i++) {
            verifier.caller(issuer.es256(claims().build()));
        }
        assertThat(issuer.fetched()).isOne();
    }

    @Test
    void unknown_key_ids_do_not_have_the_keys_fetched_again_and_again() throws NotAuthenticException {
        verifier.caller(issuer.es256(claims().build()));
        var parts = issuer.edDsa(claims().build(), "EdDSA").split("\\.");
        IntStream.range(0, 50).forEach(i -> assertRefused(
                TokenIssuer.part("{\"alg\":\"EdDSA\",\"kid\":\"forged-" + i + "\"}") + "." + parts[1] + "." + parts[2],
                "not signed with a key"));
        assertThat(issuer.fetched()).isLessThanOrEqualTo(2);
    }

    @Test
    void a_new_key_is_found_when_the_first_token_comes_that_it_signed() throws Exception {
        verifier.caller(issuer.rs256(claims().build()));
        var next = new RSAKeyGenerator(2048).keyID("next").generate();
        issuer.publish(next.toPublicJWK());
        assertThat(verifier.caller(TokenIssuer.rs256(claims().build(), next)).owner()).contains(owner);
        assertRefused(issuer.rs256(claims().build()), "not signed with a key");
    }

    @Test
    void known_keys_stay_good_while_the_provider_is_down() throws NotAuthenticException {
        verifier.caller(issuer.es256(claims().build()));
        issuer.goDown();
        assertThat(verifier.caller(issuer.es256(claims().build())).owner()).contains(owner);
    }

    private static final TokenKeys.Fetching OFTEN = new TokenKeys.Fetching(Duration.ofSeconds(1), Duration.ofMillis(50),
            Duration.ofMillis(900), Duration.ofMillis(1), Duration.ofHours(1));

    @Test
    void keys_are_fetched_again_before_their_time_is_over_though_nobody_asks() throws NotAuthenticException {
        try (var often = new JwtVerifier(issuer.settings(), OFTEN)) {
            often.caller(issuer.es256(claims().build()));
            await().until(() -> issuer.fetched() > 3);
        }
    }

    /** Where the provider's outage is not borne, its keys end with their time, and nobody asks for them any more. */
    @Test
    void known_keys_stay_good_beyond_their_time_while_the_provider_is_down() throws NotAuthenticException {
        var token = issuer.es256(claims().build());
        try (var often = new JwtVerifier(issuer.settings(), OFTEN)) {
            often.caller(token);
            issuer.goDown();
            int asked = issuer.fetched();
            await().until(() -> often.caller(token).owner().isPresent() && issuer.fetched() > asked + 8);
        }
    }

    @Test
    void a_provider_that_never_answered_is_no_proof_against_the_token() {
        issuer.goDown();
        var token = issuer.es256(claims().build());
        // Also when it is asked no more for a while, so as not to be asked too often.
        for (int i = 0; i < 5; i++) {
            assertThatExceptionOfType(KeysUnavailableException.class).isThrownBy(() -> verifier.caller(token))
                    .withMessageContaining("AUTH_JWT_JWKS");
        }
    }

    @Test
    void a_token_with_the_shared_secret_needs_no_keys_of_the_provider() throws NotAuthenticException {
        issuer.goDown();
        assertThat(verifier.caller(issuer.token(owner)).owner()).contains(owner);
        assertThat(issuer.fetched()).isZero();
    }
}
