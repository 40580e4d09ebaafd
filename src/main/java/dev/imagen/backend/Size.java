package dev.imagen.backend;

/**
 * Of a picture.
 *
 * @param width pixels
 * @param height pixels
 */
public record Size(int width, int height) {

    /** Of a text such as 1024x768. */
    public static Size of(String text) {
        int x = text.indexOf('x');
        return new Size(Integer.parseInt(text.substring(0, x)), Integer.parseInt(text.substring(x + 1)));
    }

    /** Width times height. */
    public long pixels() {
        return (long) width * height;
    }

    /** Positive for wide ones, and the same below zero for high ones of that shape. */
    double shape() {
        return Math.log((double) width / height);
    }

    @Override
    public String toString() {
        return width + "x" + height;
    }
}
