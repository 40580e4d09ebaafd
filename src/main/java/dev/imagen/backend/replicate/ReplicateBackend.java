package dev.imagen.backend.replicate;

import static java.util.stream.Collectors.toMap;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Parameter.Kind;
import dev.imagen.backend.Picture;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.remote.ApiKey;
import dev.imagen.backend.remote.InputPictures;
import dev.imagen.backend.remote.JobInput;
import dev.imagen.backend.remote.Pace;
import dev.imagen.backend.remote.Polling;
import dev.imagen.backend.remote.ProgressBar;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.backend.remote.RemotePictures;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.backend.remote.RemoteWork;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Replicate: a model's run is a prediction, which goes on until it has ended or is cancelled, whoever waits. */
public final class ReplicateBackend implements ImageBackend {

    /** As in the settings. */
    public static final String NAME = "replicate";

    private static final URI REPLICATE = URI.create("https://api.replicate.com");
    private static final String NAMED = "[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*";
    private static final Pattern MODEL = Pattern.compile("(deployments/)?" + NAMED + "|(" + NAMED + ":)?[0-9a-f]{64}");

    private static final int LARGEST = 2048;
    private static final BackendInfo.Defaults DEFAULTS = new BackendInfo.Defaults(1024, 1024, 28);
    private static final BackendInfo.Limits LIMITS = new BackendInfo.Limits(256, LARGEST, (long) LARGEST * LARGEST,
            500);

    private static final List<Parameter> PARAMETERS = List.of(
            Parameter.choice("output_format", "The kind of file.", "webp", "jpg", "png"),
            new Parameter("output_quality", "Of a JPEG or WebP, in percent.", new Kind.Whole(0, 100)),
            new Parameter("go_fast", "Whether Flux may be less exact to be quicker.", new Kind.Flag()),
            new Parameter("guidance", "How closely flux-dev follows the prompt.", new Kind.Decimal(0, 10)),
            new Parameter("guidance_scale", "How closely SDXL follows the prompt.", new Kind.Decimal(1, 50)),
            JobInput.PARAMETER);

    /** Of an answer besides its pictures: what the model printed. */
    private static final int ROOM = 1024 * 1024;

    /** Of a question that only tells how far the picture is. */
    private static final Duration QUESTION = Duration.ofSeconds(30);

    /** That the first answer may be held back for a picture that is nearly done. */
    private static final Duration HOLD = Duration.ofSeconds(5);

    /** What a refusal of what the prompt asks for, or of the picture that came of it, has in it. */
    private static final Pattern CONTENT = Pattern.compile(
            "(?i)\\bNSFW\\b|\\bE005\\b|flagged as sensitive|\\bsafety\\b|moderat|content polic|prohibited content");

    private final BackendInfo info;
    private final RemoteServer server;
    private final Predictions predictions;
    private final RemotePictures pictures;
    private final RemoteWork work;
    private final Function<RemoteServer, Polling> polling;

    /**
     * @param mostBytes of a picture
     * @param longest of one prediction
     * @throws IllegalArgumentException for settings without a key, or with what is no model's name
     */
    public ReplicateBackend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest) {
        this(settings, http, mostBytes, longest, Pace.USUAL);
    }

    ReplicateBackend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest, Pace pace) {
        var base = settings.url().orElse(REPLICATE);
        var key = settings.key().map(ApiKey::bearer);
        this.info = info(models(settings));
        this.server = new RemoteServer(http, NAME, base, key, longest);
        this.predictions = new Predictions(server, new RemoteServer(http, NAME, base, key, QUESTION),
                base.getRawPath().endsWith("/v1") ? "" : "/v1", HOLD, longest);
        this.pictures = new RemotePictures(server, mostBytes);
        this.work = new RemoteWork(pace);
        this.polling = asked -> new Polling(asked, pace, longest);
    }

    private static List<String> models(RemoteBackendSettings settings) {
        var models = settings.models().isEmpty() ? ModelFamily.MODELS : settings.models();
        models.stream().filter(model -> !MODEL.matcher(model).matches()).findFirst().ifPresent(model -> {
            throw new IllegalArgumentException("backends.replicate.models (BACKENDS_REPLICATE_MODELS) has '" + model
                    + "', must be owner/name, owner/name:version or deployments/owner/name");
        });
        return models;
    }

    private static BackendInfo info(List<String> models) {
        return new BackendInfo(NAME, models, DEFAULTS, LIMITS, PARAMETERS, EnumSet.allOf(Feature.class),
                models.stream().collect(toMap(model -> model, model -> ModelFamily.of(model).sizes())),
                models.stream().collect(toMap(model -> model, model -> ModelFamily.of(model).abilities())));
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public Optional<Refusal> refusal(ImageRequest request) {
        return ModelFamily.of(request.model()).refusal(request);
    }

    @Override
    public void probe() throws JobFailedException, InterruptedException {
        predictions.account();
    }

    @Override
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        InputPictures.check(server, request);
        long most = pictures.encoded() + ROOM + InputPictures.encoded(request);
        var prediction = predictions.of(work.begin(() -> predictions.create(request, most), predictions::cancel));
        var questions = polling.apply(server);
        try {
            for (int told = 0; !prediction.ended();) {
                int step = ProgressBar.step(prediction.logs(), request.steps());
                if (step > told) {
                    told = step;
                    progress.finished(told, request.steps());
                }
                questions.pause();
                var id = prediction.id();
                prediction = questions.ask(() -> predictions.get(id, most));
            }
        } catch (JobFailedException | InterruptedException e) {
            work.end(prediction.id(), predictions::cancel);
            throw e;
        }
        return generation(prediction, questions);
    }

    private Generation generation(Prediction prediction, Polling questions)
            throws JobFailedException, InterruptedException {
        switch (prediction.status()) {
            case FAILED -> throw failure(prediction);
            case CANCELED ->
                throw server.temporary("somebody cancelled the prediction " + prediction.id() + ", or its time was up");
            case ABORTED ->
                throw server.temporary("the prediction " + prediction.id() + " had not begun when its time was up");
            case STARTING, PROCESSING, SUCCEEDED -> {
            }
        }
        var made = new ArrayList<Picture>();
        for (String url : prediction.urls()) {
            made.add(new Picture(questions.ask(() -> pictures.at(url))));
        }
        if (made.isEmpty()) {
            throw server.permanent("there is no picture in the output of the prediction " + prediction.id());
        }
        return new Generation(made, Metered.NOTHING);
    }

    /** A model's own errors have no codes; what is not known to last may be gone the next time. */
    private JobFailedException failure(Prediction prediction) {
        var said = prediction.error().isEmpty() ? "no reason was given" : prediction.error();
        return CONTENT.matcher(said).find()
                ? server.permanent(
                        "the provider's moderation refused it: " + said + " (prediction " + prediction.id() + ")")
                : server.temporary("the model failed: " + said + " (prediction " + prediction.id() + ")");
    }

    @Override
    public void close() {
        work.close();
    }
}
