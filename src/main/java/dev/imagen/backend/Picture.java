package dev.imagen.backend;

/**
 * A finished picture as a backend returns it.
 *
 * @param bytes the encoded file; owned by the receiver
 * @param mimeType {@code image/png}, {@code image/jpeg} or {@code image/webp}
 * @param width pixels
 * @param height pixels
 */
public record Picture(byte[] bytes, String mimeType, int width, int height) {}
