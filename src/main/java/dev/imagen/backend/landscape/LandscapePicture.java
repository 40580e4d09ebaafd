package dev.imagen.backend.landscape;

/** A painted landscape with the prompt written small. */
public final class LandscapePicture {

    private LandscapePicture() {}

    /**
     * Paints one; the same arguments give the same bytes.
     *
     * @param width pixels
     * @param height pixels
     * @param steps 1 or more: the more, the more there is to see
     * @return a PNG file
     */
    public static byte[] png(String prompt, long seed, int width, int height, int steps) {
        var scene = Scene.of(prompt, seed, width, height, steps);
        var canvas = Landscape.paint(scene);
        new Caption(canvas, scene.mood()).paint(prompt);
        return IndexedPng.encode(canvas.width, canvas.height, canvas.pixels, canvas.palette.colours());
    }
}
