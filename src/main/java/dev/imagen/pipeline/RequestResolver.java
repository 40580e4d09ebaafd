package dev.imagen.pipeline;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.BackendInfo.Abilities;
import dev.imagen.backend.Backends;
import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import dev.imagen.config.Price;
import dev.imagen.config.Style;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.NewJob;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** Fills in what a job left out, from its style and then its backend, and holds it to what the backend can do. */
public final class RequestResolver {

    /** Every backend knows seeds of 32 bits. */
    private static final long RANDOM_SEED_BOUND = 1L << 32;

    /** As the web UI of AUTOMATIC1111 begins. */
    private static final double STRENGTH = 0.75;

    private final PromptStyles styles;
    private final Backends backends;

    /** For jobs of these backends. */
    public RequestResolver(PromptStyles styles, Backends backends) {
        this.styles = styles;
        this.backends = backends;
    }

    /** What is to be made, and by whom. */
    record Resolved(ImageBackend backend, ImageRequest request, Optional<Price> price) {

        /** Empty where it means nothing to the model. */
        Optional<Long> seed(int position) {
            return abilities().can(Feature.SEED) ? Optional.of(request.seedOf(position)) : Optional.empty();
        }

        Optional<Integer> steps() {
            return abilities().can(Feature.STEPS) ? Optional.of(request.steps()) : Optional.empty();
        }

        /** Of what it begins with. */
        Optional<Double> strength() {
            return abilities().can(Feature.STRENGTH) ? request.input().map(InputPicture::strength) : Optional.empty();
        }

        private Abilities abilities() {
            return backend.info().abilitiesOf(request.model());
        }

        Resolved beginningWith(byte[] bytes, String mimeType) {
            var strength = request.input().orElseThrow().strength();
            return new Resolved(backend, request.beginningWith(new InputPicture(bytes, mimeType, strength)), price);
        }
    }

    /** The name of the backend that does a job. */
    public String backend(NewJob job) {
        return job.backend().orElse(backends.names().getFirst());
    }

    /** Everything for which a job would fail at once; of a backend that is not here its name alone. */
    public List<Refusal> refusals(NewJob job) {
        var refusals = new ArrayList<Refusal>();
        var style = styles.find(job);
        if (style.isEmpty()) {
            refusals.add(new Refusal("style", styles.unknown(job.style().orElseThrow())));
        }
        backends.find(backend(job)).ifPresentOrElse(
                backend -> check(job, request(job, style.orElse(PromptStyles.NONE), backend.info()), backend, refusals),
                () -> refusals.add(new Refusal("backend", backends.unknown(backend(job)))));
        return refusals;
    }

    /** @throws JobFailedException permanent, with the first of {@link #refusals} */
    Resolved resolve(NewJob job) throws JobFailedException {
        var refusals = refusals(job);
        if (!refusals.isEmpty()) {
            throw JobFailedException.permanent(refusals.getFirst().toString());
        }
        var backend = backends.find(backend(job)).orElseThrow();
        var request = request(job, styles.find(job).orElseThrow(), backend.info());
        return new Resolved(backend, request, backends.price(backend.info().name(), request.model()));
    }

    /**
     * The same job for the backend that stands in for this one: with its own default model where the job names none.
     * Empty where there is none, or it cannot do what the job asks for.
     */
    Optional<Resolved> fallback(NewJob job, Resolved failed) throws JobFailedException {
        var name = backends.fallback(failed.backend().info().name());
        if (name.isEmpty()) {
            return Optional.empty();
        }
        var asked = job.on(name.get());
        return refusals(asked).isEmpty() ? Optional.of(resolve(asked)) : Optional.empty();
    }

    private static ImageRequest request(NewJob job, Style style, BackendInfo backend) {
        var model = job.model().orElse(backend.models().getFirst());
        var abilities = backend.abilitiesOf(model);
        var size = size(job, style, backend, model);
        return new ImageRequest(PromptStyles.prompt(style, job.prompt()),
                abilities.can(Feature.NEGATIVE_PROMPT)
                        ? PromptStyles.negativePrompt(style, job.negativePrompt())
                        : Optional.empty(),
                model, size.width(), size.height(), job.steps().orElse(abilities.steps()),
                job.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong(RANDOM_SEED_BOUND)), job.params(),
                job.count(), input(job));
    }

    /** Without its bytes. */
    private static Optional<InputPicture> input(NewJob job) {
        return job.inputImageId().map(_ -> new InputPicture(new byte[0], "", job.strength().orElse(STRENGTH)));
    }

    /** A job means the size that it names; a style, which knows no models, only wishes for one. */
    private static Size size(NewJob job, Style style, BackendInfo backend, String model) {
        var usual = backend.usualSize(model);
        var wished = new Size(job.width().or(style::width).orElse(usual.width()),
                job.height().or(style::height).orElse(usual.height()));
        return job.width().isPresent() || job.height().isPresent() ? wished : backend.sizesOf(model).nearest(wished);
    }

    private static void check(NewJob job, ImageRequest request, ImageBackend backend, List<Refusal> refusals) {
        var info = backend.info();
        int before = refusals.size();
        var abilities = info.abilitiesOf(request.model());
        checkFeatures(job, abilities, whose(info, request.model(), info.abilities()), refusals);
        if (info.offers(request.model())) {
            checkSize(job, request, info, refusals);
        } else {
            refusals.add(new Refusal("model", "\"" + request.model() + "\" is none of backend " + info.name()
                    + ": use one of " + String.join(", ", info.models())));
        }
        int most = abilities.maxSteps();
        if (abilities.can(Feature.STEPS) && (request.steps() < 1 || request.steps() > most)) {
            refusals.add(new Refusal("steps",
                    "must be from 1 to " + most + " for " + whose(info, request.model(), info.abilities())));
        }
        request.params().forEach((name, value) -> info.problem(name, value)
                .ifPresent(problem -> refusals.add(new Refusal("params." + name, problem))));
        if (refusals.size() == before) {
            backend.refusal(request).ifPresent(refusals::add);
        }
    }

    /** What a job says and the backend would not heed must not look as if it were heeded. */
    private static void checkFeatures(NewJob job, Abilities abilities, String whose, List<Refusal> refusals) {
        for (Feature feature : Feature.values()) {
            if (!abilities.can(feature) && set(job, feature)) {
                refusals.add(nothingTo(whose, feature.field()));
            }
        }
    }

    private static Refusal nothingTo(String whose, String field) {
        return new Refusal(field, "means nothing to " + whose + ": leave it out");
    }

    private static void checkSize(NewJob job, ImageRequest request, BackendInfo info, List<Refusal> refusals) {
        var sizes = info.sizesOf(request.model());
        var whose = whose(info, request.model(), info.sizes());
        refusals.addAll(sizes.refusals(request.size(), whose));
        if (sizes instanceof Sizes.Own) {
            job.width().ifPresent(_ -> refusals.add(nothingTo(whose, "width")));
            job.height().ifPresent(_ -> refusals.add(nothingTo(whose, "height")));
        }
    }

    private static boolean set(NewJob job, Feature feature) {
        return switch (feature) {
            case NEGATIVE_PROMPT -> job.negativePrompt().filter(text -> !text.isBlank()).isPresent();
            case STEPS -> job.steps().isPresent();
            case SEED -> job.seed().isPresent();
            case INPUT_IMAGE -> job.inputImageId().isPresent();
            case STRENGTH -> job.strength().isPresent();
        };
    }

    /** @param rules of models that have their own */
    private static String whose(BackendInfo backend, String model, Map<String, ?> rules) {
        return rules.containsKey(model)
                ? "model " + model + " of backend " + backend.name()
                : "backend " + backend.name();
    }
}
