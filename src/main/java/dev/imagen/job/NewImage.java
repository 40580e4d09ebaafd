package dev.imagen.job;

import java.util.Optional;
import java.util.UUID;

/**
 * A stored image whose row is still to be written.
 *
 * @param bucket the store's bucket or kind
 * @param path where the store keeps the bytes
 * @param byteSize bytes
 * @param sha256 32 bytes, of the stored bytes
 * @param prompt as it was sent to the backend
 * @param seed that makes it again; empty where the backend knows none
 * @param steps sampling steps; empty where the backend knows none
 */
public record NewImage(UUID id, String bucket, String path, String mimeType, int width, int height, long byteSize,
        byte[] sha256, String backend, String model, String prompt, Optional<String> negativePrompt,
        Optional<String> style, Optional<Long> seed, Optional<Integer> steps) {}
