package dev.imagen.backend.openai;

import static java.util.stream.Collectors.toMap;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.ApiKey;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.backend.remote.RemotePictures;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.job.JobFailedException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * OpenAI's Images API, or a server that speaks it. One call gives the finished picture; whoever is interrupted closes
 * the connection, which is all that there is to cancel by.
 */
public final class OpenAiBackend implements ImageBackend {

    /** As in the settings. */
    public static final String NAME = "openai";

    private static final URI OPENAI = URI.create("https://api.openai.com");

    private static final int LARGEST = 8192;
    private static final BackendInfo.Defaults DEFAULTS = new BackendInfo.Defaults(1024, 1024, 0);
    private static final BackendInfo.Limits LIMITS = new BackendInfo.Limits(16, LARGEST, (long) LARGEST * LARGEST, 0);

    private static final List<Parameter> PARAMETERS = List.of(
            Parameter.choice("quality",
                    "How good: of gpt-image auto to high, from 2.5 on to max; of dall-e standard, hd.", "auto", "low",
                    "medium", "high", "xhigh", "max", "standard", "hd"),
            Parameter.choice("complexity", "How much goes into planning the picture; from gpt-image-2.5 on.", "low",
                    "medium", "high"),
            Parameter.choice("background", "What is behind the subject.", "auto", "transparent", "opaque"),
            Parameter.choice("moderation", "How strict the provider's filter is.", "auto", "low"),
            Parameter.choice("output_format", "The kind of file.", "png", "jpeg", "webp"),
            new Parameter("output_compression", "Of a JPEG or WebP, in percent.", new Parameter.Kind.Whole(0, 100)),
            new Parameter(ImageCall.PREVIEWS, "Previews while the picture is made, of gpt-image; each may cost extra.",
                    new Parameter.Kind.Whole(0, 3)),
            Parameter.choice("input_fidelity", "How much of the picture to begin with is kept; gpt-image-1 alone.",
                    "high", "low"),
            Parameter.choice("style", "How dramatic; dall-e-3 alone.", "vivid", "natural"));

    /** Of an answer besides its picture. */
    private static final int ROOM = 64 * 1024;

    /** As large as an array can be. */
    private static final long LARGEST_ANSWER = Integer.MAX_VALUE - 16;

    /** Of a question to which servers answer at once. */
    private static final Duration QUESTION = Duration.ofSeconds(10);

    /** Gateways have thousands of models. */
    private static final int MODELS_ROOM = 16 * 1024 * 1024;

    private final BackendInfo info;
    private final String root;
    private final RemoteServer server;
    private final RemoteServer questions;
    private final Failures failures;
    private final RemotePictures sent;
    private final Pictures pictures;
    private final long mostBytes;

    /**
     * @param mostBytes of a picture
     * @param longest of one call
     * @throws IllegalArgumentException where nobody says which models another server than OpenAI's has
     */
    public OpenAiBackend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest) {
        var base = settings.url().orElse(OPENAI);
        this.info = info(models(settings, base));
        this.root = base.getRawPath().endsWith("/v1") ? "" : "/v1";
        var key = settings.key().map(ApiKey::bearer);
        this.server = new RemoteServer(http, NAME, base, key, longest);
        this.questions = new RemoteServer(http, NAME, base, key, QUESTION);
        this.failures = new Failures(server);
        this.sent = new RemotePictures(server, mostBytes);
        this.pictures = new Pictures(sent);
        this.mostBytes = mostBytes;
    }

    private static List<String> models(RemoteBackendSettings settings, URI base) {
        if (!settings.models().isEmpty()) {
            return settings.models();
        }
        if (!OPENAI.getHost().equalsIgnoreCase(base.getHost())) {
            throw new IllegalArgumentException("backends.openai.model (BACKENDS_OPENAI_MODEL) must be set where"
                    + " backends.openai.url is: nobody else knows the models of " + base.getAuthority());
        }
        return ModelFamily.MODELS;
    }

    private static BackendInfo info(List<String> models) {
        var sizes = models.stream().filter(model -> ModelFamily.of(model).sizes().isPresent())
                .collect(toMap(model -> model, model -> ModelFamily.of(model).sizes().orElseThrow()));
        return new BackendInfo(NAME, models, DEFAULTS, LIMITS, PARAMETERS, Set.of(Feature.INPUT_IMAGE), sizes);
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public int picturesPerCall(String model) {
        return ModelFamily.of(model).picturesPerCall();
    }

    /** Asks for the models, which costs nothing. A key that may draw need not be one that may list them. */
    @Override
    public void probe() throws JobFailedException, InterruptedException {
        var answer = questions.get(root + "/models", MODELS_ROOM);
        boolean lacking = Set.of(404, 405, 501).contains(answer.status()) || answer.said().contains("Missing scopes");
        if (!answer.ok() && !lacking) {
            throw failures.of(answer);
        }
    }

    @Override
    public Optional<Refusal> refusal(ImageRequest request) {
        return ModelFamily.of(request.model()).refusal(request);
    }

    @Override
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        var wrong = request.input()
                .flatMap(input -> InputRules.refusal(ModelFamily.of(request.model()), request.model(), input));
        if (wrong.isPresent()) {
            throw server.permanent(wrong.get().toString());
        }
        return ImageCall.previews(request) == 0 ? asked(request) : watched(request, progress);
    }

    private Generation asked(ImageRequest request) throws JobFailedException, InterruptedException {
        var answer = server.post(root + ImageCall.path(request), ImageCall.content(request), most(request));
        return read(request, answer);
    }

    private Generation read(ImageRequest request, Answer answer) throws JobFailedException, InterruptedException {
        if (!answer.ok()) {
            throw failures.of(answer);
        }
        var generation = pictures.of(answer.json(), ImageCall.pictures(request));
        if (generation.pictures().isEmpty()) {
            throw sent.none(answer);
        }
        return generation;
    }

    /** A server that knows no streams answers as ever. */
    private Generation watched(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        var events = new PictureEvents(progress, ImageCall.previews(request));
        var answer = server.stream(root + ImageCall.path(request), ImageCall.content(request), most(request), events);
        if (!answer.ok() || !answer.events()) {
            return read(request, answer);
        }
        if (events.last().isMissingNode()) {
            throw server.temporary("the stream ended before the picture was there");
        }
        if (!events.completed()) {
            throw failures.of(events.last(), answer);
        }
        var generation = pictures.of(events.last());
        if (generation.pictures().isEmpty()) {
            throw server.permanent("there is no picture in the event that ends the stream");
        }
        return generation;
    }

    /** Bytes of the answer. */
    private long most(ImageRequest request) {
        long pictures = ImageCall.pictures(request) + ImageCall.previews(request);
        return Math.min(pictures * (mostBytes / 3 * 4) + ROOM, LARGEST_ANSWER);
    }
}
