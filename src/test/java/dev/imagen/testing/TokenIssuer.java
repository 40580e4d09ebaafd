package dev.imagen.testing;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import dev.imagen.config.AuthSettings;
import dev.imagen.config.Secret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/** An identity provider: signs tokens, and publishes its public keys by HTTP. */
public final class TokenIssuer implements AutoCloseable {

    /** The {@code aud} of its tokens. */
    public static final String AUDIENCE = "authenticated";
    private static final String SECRET = "a shared secret with more than thirty-two bytes";

    /** Made once for all: primes take their time. */
    private static final RSAKey RSA = rsaKey();

    private final RSAKey rsa = RSA;
    private final ECKey ec;
    private final KeyPair ed;
    private final HttpServer server;
    private final AtomicInteger fetched = new AtomicInteger();
    private volatile boolean down;
    private volatile List<JWK> published;

    /** Makes its keys and begins to publish them. */
    public TokenIssuer() {
        try {
            this.ec = new ECKeyGenerator(Curve.P_256).keyID("ec").generate();
            this.ed = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
            this.published = List.of(rsa.toPublicJWK(), ec.toPublicJWK(), edKey());
            this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (GeneralSecurityException | JOSEException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/keys", exchange -> {
            fetched.incrementAndGet();
            byte[] body = new JWKSet(published).toString().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(down ? 503 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private static RSAKey rsaKey() {
        try {
            return new RSAKeyGenerator(2048).keyID("rsa").generate();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private OctetKeyPair edKey() {
        byte[] encoded = ed.getPublic().getEncoded();
        return new OctetKeyPair.Builder(Curve.Ed25519,
                Base64URL.encode(Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length))).keyID("ed").build();
    }

    /** How a service accepts all of its tokens. */
    public AuthSettings.Jwt settings() {
        return new AuthSettings.Jwt(Optional.of(new Secret(SECRET)), Optional.of(url()), Optional.of(AUDIENCE),
                Optional.empty());
    }

    /** Where the public keys are. */
    public URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/keys");
    }

    /** How often they were asked for. */
    public int fetched() {
        return fetched.get();
    }

    /** From now on it publishes nothing. */
    public void goDown() {
        down = true;
    }

    /** From now on it publishes these keys only. */
    public void publish(JWK... keys) {
        published = List.of(keys);
    }

    /** Its RSA key, private part and all. */
    public RSAKey rsa() {
        return rsa;
    }

    /** The claims of an owner's token that is good for a minute. */
    public static JWTClaimsSet.Builder claims(UUID owner) {
        return new JWTClaimsSet.Builder().subject(owner.toString()).audience(AUDIENCE).claim("role", "authenticated")
                .expirationTime(Date.from(Instant.now().plus(Duration.ofMinutes(1))));
    }

    /** An owner's token that is good for a minute. */
    public String token(UUID owner) {
        return hs256(claims(owner).build());
    }

    /** A token for the service that is good for a minute. */
    public String serviceToken() {
        return hs256(new JWTClaimsSet.Builder().claim("role", "service_role")
                .expirationTime(Date.from(Instant.now().plus(Duration.ofMinutes(1)))).build());
    }

    /** Signed with the shared secret. */
    public String hs256(JWTClaimsSet claims) {
        return hs256(claims, SECRET.getBytes(StandardCharsets.UTF_8));
    }

    /** Claims as they are, which no library would write, signed with the shared secret. */
    public static String hs256(String claims) {
        try {
            var jws = new JWSObject(new JWSHeader(JWSAlgorithm.HS256), new Payload(claims));
            jws.sign(new MACSigner(SECRET));
            return jws.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Signed with any secret. */
    public static String hs256(JWTClaimsSet claims, byte[] secret) {
        try {
            return signed(new JWSHeader(JWSAlgorithm.HS256), claims, new MACSigner(secret));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Signed with the RSA key. */
    public String rs256(JWTClaimsSet claims) {
        return rs256(claims, rsa);
    }

    /** Signed with any RSA key; one without an id as the one that is published. */
    public static String rs256(JWTClaimsSet claims, RSAKey key) {
        try {
            var id = Optional.ofNullable(key.getKeyID()).orElse("rsa");
            return signed(new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(id).build(), claims, new RSASSASigner(key));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Signed with the elliptic-curve key. */
    public String es256(JWTClaimsSet claims) {
        try {
            return signed(new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("ec").build(), claims, new ECDSASigner(ec));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Signed with the Ed25519 key, by the JDK. @param algorithm as the header calls it */
    public String edDsa(JWTClaimsSet claims, String algorithm) {
        return edDsa(claims, algorithm, ed.getPrivate());
    }

    /** Signed with any Ed25519 key, as the one that is published. */
    public static String edDsa(JWTClaimsSet claims, String algorithm, PrivateKey key) {
        var signed = part("{\"alg\":\"" + algorithm + "\",\"kid\":\"ed\"}") + "." + part(claims.toString());
        try {
            var signature = Signature.getInstance("Ed25519");
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + Base64URL.encode(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** With no signature at all. */
    public static String unsigned(JWTClaimsSet claims) {
        return part("{\"alg\":\"none\"}") + "." + part(claims.toString()) + ".";
    }

    /** A part of a token. */
    public static String part(String json) {
        return Base64URL.encode(json).toString();
    }

    private static String signed(JWSHeader header, JWTClaimsSet claims, JWSSigner signer) throws JOSEException {
        var jwt = new SignedJWT(header, claims);
        jwt.sign(signer);
        return jwt.serialize();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
