package dev.imagen.storage;

import dev.imagen.image.ImageBytes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Keeps the bytes of images under keys as {@link StorageKey} makes them. Calls may block and may run at once; an
 * interrupt of a virtual thread ends its call at once with an IOException, and the thread stays interrupted. A key that
 * is none is refused with an IllegalArgumentException.
 */
public interface ImageStore extends AutoCloseable {

    /** What the {@code bucket} of an image's row says. */
    String bucket();

    /** Where the bytes of a key are, for a person. */
    String place(String key);

    /**
     * Stores bytes under a key, replacing what is there; after it returns they survive a crash, and are those that were
     * given, so that their hash is {@link ImageBytes#sha256}, which stores do not reckon. What may be gone a moment
     * later, a remote store tries again itself.
     *
     * @throws IOException when they may not be stored, a {@link StoreException} where the store said why. A store of
     *     this machine leaves nothing readable then; a remote one that was interrupted or did not answer may have them
     *     all the same
     */
    void put(String key, ImageBytes bytes, String mimeType) throws IOException;

    /** The same for one array. */
    default void put(String key, byte[] bytes, String mimeType) throws IOException {
        put(key, ImageBytes.of(bytes), mimeType);
    }

    /** The bytes under a key. @throws IOException when the store does not answer */
    Optional<byte[]> get(String key) throws IOException;

    /** How a client gets the bytes. */
    sealed interface Content {

        /** The bytes themselves, to be read once and closed. */
        record Stream(InputStream bytes, long length) implements Content {}

        /**
         * Whoever has the URL gets the bytes.
         *
         * @param lifetime how long from now it is valid
         */
        record Link(URI url, Duration lifetime) implements Content {

            /** Without the query, which is what opens it. */
            @Override
            public String toString() {
                return url.getRawPath();
            }
        }
    }

    /** Where its links lead, as scheme, host and port; empty for a store that gives the bytes itself. */
    default Optional<URI> linkOrigin() {
        return Optional.empty();
    }

    /** Scheme, host and port of a URL. */
    static URI origin(URI url) {
        return URI.create(url.getScheme() + "://" + url.getRawAuthority());
    }

    /** How a client gets the bytes under a key. @throws IOException when the store does not answer */
    default Optional<Content> content(String key) throws IOException {
        return get(key).map(bytes -> new Content.Stream(new ByteArrayInputStream(bytes), bytes.length));
    }

    /**
     * All keys that begin with this, in any order.
     *
     * @param prefix a key, or the beginning of one that does not end in a slash
     * @throws IOException when the store does not answer
     */
    List<String> keys(String prefix) throws IOException;

    /** Removes a key; one that is not there is no error. @throws IOException when it may still be there */
    void delete(String key) throws IOException;

    /** Ends its connections. */
    @Override
    default void close() {
        // Most have none.
    }
}
