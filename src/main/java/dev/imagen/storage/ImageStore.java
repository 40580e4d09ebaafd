package dev.imagen.storage;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Keeps the bytes of images under keys such as {@code owner/2026/11/job-1.png}. Calls may block and may run at once.
 */
public interface ImageStore {

    /** What the {@code bucket} of an image's row says. */
    String bucket();

    /**
     * Stores bytes under a key, replacing what is there; after it returns they survive a crash.
     *
     * @throws IOException when they may not be stored; nothing readable is left then
     */
    void put(String key, byte[] bytes, String mimeType) throws IOException;

    /** The bytes under a key. @throws IOException when the store does not answer */
    Optional<byte[]> get(String key) throws IOException;

    /**
     * All keys that begin with this, in any order.
     *
     * @param prefix a key, or the beginning of one that does not end in a slash
     * @throws IOException when the store does not answer
     */
    List<String> keys(String prefix) throws IOException;

    /** Removes a key; one that is not there is no error. @throws IOException when it may still be there */
    void delete(String key) throws IOException;
}
