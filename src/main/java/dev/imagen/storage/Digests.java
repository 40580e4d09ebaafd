package dev.imagen.storage;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What stores tell of bytes to show that they have them. */
final class Digests {

    private Digests() {}

    /** Against accidents on the way, for which it is good enough; hexadecimal. */
    static String md5(byte[] bytes) {
        return HexFormat.of().formatHex(md5Bytes(bytes));
    }

    static byte[] md5Bytes(byte[] bytes) {
        try {
            return MessageDigest.getInstance("MD5").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has MD5", e);
        }
    }
}
