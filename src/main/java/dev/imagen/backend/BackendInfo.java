package dev.imagen.backend;

import java.util.List;

/**
 * What a backend offers, as {@code GET /backends} shows it.
 *
 * @param name the value of a job's {@code backend}
 * @param models the values of a job's {@code model}, the default first
 * @param defaults used where a job says nothing
 * @param limits what a job may ask for
 */
public record BackendInfo(String name, List<String> models, Defaults defaults, Limits limits) {

    /**
     * @param width pixels
     * @param height pixels
     * @param steps sampling steps
     */
    public record Defaults(int width, int height, int steps) {}

    /**
     * @param minSide pixels, for width and height
     * @param maxSide pixels, for width and height
     * @param maxPixels width times height
     * @param maxSteps sampling steps
     */
    public record Limits(int minSide, int maxSide, long maxPixels, int maxSteps) {}
}
