package dev.imagen.auth;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.impl.EdDSAProvider;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.util.Base64URL;
import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;

/** Ed25519 by the JDK: the library's own verifier needs Tink for it, which is larger than all the rest. */
final class EdDsaVerifier extends EdDSAProvider implements JWSVerifier {

    /** What stands before the 32 bytes of a key in its X.509 form (RFC 8410, 4). */
    private static final byte[] X509 = HexFormat.of().parseHex("302a300506032b6570032100");
    private static final int KEY_BYTES = 32;

    private final PublicKey key;

    EdDsaVerifier(OctetKeyPair pair) throws JOSEException {
        byte[] x = pair.getDecodedX();
        if (!pair.getCurve().equals(Curve.Ed25519) || x.length != KEY_BYTES) {
            throw new JOSEException("no Ed25519 key");
        }
        var encoded = new ByteArrayOutputStream();
        encoded.writeBytes(X509);
        encoded.writeBytes(x);
        try {
            this.key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded.toByteArray()));
        } catch (GeneralSecurityException e) {
            throw new JOSEException("no Ed25519 key", e);
        }
    }

    @Override
    public boolean verify(JWSHeader header, byte[] signed, Base64URL signature) throws JOSEException {
        if (header.getCriticalParams() != null) {
            // What the token says must be understood is not.
            return false;
        }
        try {
            var check = Signature.getInstance("Ed25519");
            check.initVerify(key);
            check.update(signed);
            return check.verify(signature.decode());
        } catch (SignatureException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new JOSEException("no Ed25519 here", e);
        }
    }
}
