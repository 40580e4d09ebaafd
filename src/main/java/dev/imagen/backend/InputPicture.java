package dev.imagen.backend;

/**
 * A picture to begin with, whole and within the limits of the settings; of any size.
 *
 * @param bytes the encoded picture
 * @param mimeType image/png, image/jpeg or image/webp
 * @param strength how much of it changes, 0 to 1: near 0 it stays as it is, with 1 little of it is left
 */
public record InputPicture(byte[] bytes, String mimeType, double strength) {}
