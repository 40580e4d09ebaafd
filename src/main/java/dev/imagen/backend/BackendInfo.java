package dev.imagen.backend;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a backend offers, as {@code GET /backends} shows it.
 *
 * @param name the value of a job's {@code backend}
 * @param models the values of a job's {@code model}, the default first
 * @param defaults used where a job says nothing
 * @param limits what a job may ask for
 * @param parameters what a job may set in its {@code params}
 * @param features what else it can do
 * @param sizes of models that do not make every size within the limits
 * @param abilities of models that do not do everything that the backend can
 * @param unlisted whether jobs may name other models too, since the server has not yet said which it has
 */
public record BackendInfo(String name, List<String> models, Defaults defaults, Limits limits,
        List<Parameter> parameters, Set<Feature> features, Map<String, Sizes> sizes, Map<String, Abilities> abilities,
        boolean unlisted) {

    /** A backend whose models are all known. */
    public BackendInfo(String name, List<String> models, Defaults defaults, Limits limits, List<Parameter> parameters,
            Set<Feature> features, Map<String, Sizes> sizes, Map<String, Abilities> abilities) {
        this(name, models, defaults, limits, parameters, features, sizes, abilities, false);
    }

    /** A backend whose models all do the same. */
    public BackendInfo(String name, List<String> models, Defaults defaults, Limits limits, List<Parameter> parameters,
            Set<Feature> features, Map<String, Sizes> sizes) {
        this(name, models, defaults, limits, parameters, features, sizes, Map.of());
    }

    /** A backend without parameters of its own, that makes pictures from nothing. */
    public BackendInfo(String name, List<String> models, Defaults defaults, Limits limits) {
        this(name, models, defaults, limits, List.of());
    }

    /** A backend that can do everything but begin with a picture. */
    public BackendInfo(String name, List<String> models, Defaults defaults, Limits limits, List<Parameter> parameters) {
        this(name, models, defaults, limits, parameters,
                EnumSet.complementOf(EnumSet.of(Feature.INPUT_IMAGE, Feature.STRENGTH)), Map.of());
    }

    /** Whether a job may name this model. */
    public boolean offers(String model) {
        return unlisted || models.contains(model);
    }

    /** Whether a job may set this, with one of the models at least. */
    public boolean can(Feature feature) {
        return features.contains(feature);
    }

    /** What a model does. */
    public Abilities abilitiesOf(String model) {
        return abilities.getOrDefault(model, new Abilities(features, defaults.steps(), limits.maxSteps()));
    }

    /** The size of a model's pictures where neither a job nor its style says anything. */
    public Size usualSize(String model) {
        return abilitiesOf(model).size().orElse(new Size(defaults.width(), defaults.height()));
    }

    /** The sizes that a model makes. */
    public Sizes sizesOf(String model) {
        return sizes.getOrDefault(model,
                new Sizes.Ranged(limits.minSide(), limits.maxSide(), limits.maxPixels(), 1, limits.maxSide()));
    }

    /** What is wrong with a parameter, such as "must be true or false"; empty: nothing. */
    public Optional<String> problem(String parameter, Object value) {
        return parameters.stream().filter(known -> known.name().equals(parameter)).findFirst()
                .map(known -> known.problem(value)).orElseGet(() -> Optional.of(unknown()));
    }

    private String unknown() {
        return "is no parameter of backend " + name
                + (parameters.isEmpty()
                        ? ", which has none"
                        : ": use one of " + parameters.stream().map(Parameter::name).collect(Collectors.joining(", ")));
    }

    /**
     * What a model does.
     *
     * @param features that a job may set
     * @param steps sampling steps where a job says nothing; 0 for a model that knows none
     * @param maxSteps sampling steps; 0 for a model that knows none
     * @param size where neither a job nor its style says anything; empty: that of the backend
     */
    public record Abilities(Set<Feature> features, int steps, int maxSteps, Optional<Size> size) {

        /** Of a model whose pictures have the backend's size unless a job says otherwise. */
        public Abilities(Set<Feature> features, int steps, int maxSteps) {
            this(features, steps, maxSteps, Optional.empty());
        }

        /** Whether a job may set this. */
        public boolean can(Feature feature) {
            return features.contains(feature);
        }
    }

    /**
     * @param width pixels
     * @param height pixels
     * @param steps sampling steps; 0 for a backend that knows none
     */
    public record Defaults(int width, int height, int steps) {}

    /**
     * @param minSide pixels, for width and height
     * @param maxSide pixels, for width and height
     * @param maxPixels width times height
     * @param maxSteps sampling steps; 0 for a backend that knows none
     */
    public record Limits(int minSide, int maxSide, long maxPixels, int maxSteps) {}
}
