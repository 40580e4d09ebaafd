package dev.imagen.job;

import java.util.UUID;

/**
 * Where the bytes of an image are.
 *
 * @param bucket the {@code bucket} of its row
 * @param path in the store of this bucket
 */
public record StoredImage(UUID id, String bucket, String path) {}
