package dev.imagen.backend;

/**
 * A finished picture as a backend returns it. What it is, its bytes tell: the pipeline reads type and size from them.
 *
 * @param bytes the encoded PNG, JPEG or WebP; owned by the receiver
 */
public record Picture(byte[] bytes) {}
