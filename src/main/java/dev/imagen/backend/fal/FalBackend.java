package dev.imagen.backend.fal;

import static java.util.stream.Collectors.toMap;

import com.fasterxml.jackson.databind.JsonNode;
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
import dev.imagen.backend.remote.Answer;
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
import dev.imagen.config.Secret;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** fal: a request stands in a queue, and goes on until it is completed or cancelled, whoever waits. */
public final class FalBackend implements ImageBackend {

    /** As in the settings. */
    public static final String NAME = "fal";

    private static final URI FAL = URI.create("https://queue.fal.run");
    private static final String MODEL = "[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)+";

    private static final int LARGEST = 2048;
    private static final BackendInfo.Defaults DEFAULTS = new BackendInfo.Defaults(1024, 1024, 28);
    private static final BackendInfo.Limits LIMITS = new BackendInfo.Limits(256, LARGEST, (long) LARGEST * LARGEST, 50);

    private static final List<Parameter> PARAMETERS = List.of(
            Parameter.choice("output_format", "The kind of file.", "jpeg", "png"),
            new Parameter("guidance_scale", "How closely the picture follows the prompt.", new Kind.Decimal(0, 20)),
            Parameter.choice("acceleration", "How much quality Flux may give for speed.", "none", "regular", "high"),
            Parameter.choice("safety_tolerance", "How strict the filter of Flux Pro is, from strict to permissive.",
                    "1", "2", "3", "4", "5"),
            JobInput.PARAMETER);

    /** Of a response besides pictures in it. */
    private static final int ROOM = 1024 * 1024;

    /** Of a question that only tells how far the picture is. */
    private static final Duration QUESTION = Duration.ofSeconds(30);

    private final BackendInfo info;
    private final RemoteServer server;
    private final FalQueue queue;
    private final RemotePictures pictures;
    private final RemoteWork work;
    private final Supplier<Polling> polling;

    /**
     * @param mostBytes of a picture
     * @param longest of one request
     * @throws IllegalArgumentException for what is no model's name
     */
    public FalBackend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest) {
        this(settings, http, mostBytes, longest, Pace.USUAL);
    }

    FalBackend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest, Pace pace) {
        var base = settings.url().orElse(FAL);
        var key = settings.key()
                .map(secret -> new ApiKey("Authorization", new Secret("Key " + secret.value()), secret));
        this.info = info(models(settings));
        this.server = new RemoteServer(http, NAME, base, key, longest);
        this.queue = new FalQueue(server, new RemoteServer(http, NAME, base, key, QUESTION), base, longest);
        this.pictures = new RemotePictures(server, mostBytes);
        this.work = new RemoteWork(pace);
        this.polling = () -> new Polling(server, pace, longest);
    }

    private static List<String> models(RemoteBackendSettings settings) {
        var models = settings.models().isEmpty() ? ModelFamily.MODELS : settings.models();
        models.stream().filter(model -> !model.matches(MODEL)).findFirst().ifPresent(model -> {
            throw new IllegalArgumentException("backends.fal.models (BACKENDS_FAL_MODELS) has '" + model
                    + "', must be a name such as fal-ai/flux/dev");
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
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        InputPictures.check(server, request);
        var ticket = queue.ticket(work.begin(() -> queue.submit(request), queue::cancel));
        var questions = polling.get();
        try {
            for (int told = 0;;) {
                questions.pause();
                var status = questions.ask(() -> queue.status(ticket));
                if (status.completed()) {
                    break;
                }
                int step = ProgressBar.step(status.logs(), request.steps());
                if (step > told) {
                    told = step;
                    progress.finished(told, request.steps());
                }
            }
        } catch (JobFailedException | InterruptedException e) {
            work.end(ticket, queue::cancel);
            throw e;
        }
        return generation(ticket, questions);
    }

    private Generation generation(Ticket ticket, Polling questions) throws JobFailedException, InterruptedException {
        var response = questions.ask(() -> queue.response(ticket, pictures.encoded() + ROOM));
        if (!response.ok()) {
            throw queue.failure(response);
        }
        var made = new ArrayList<Picture>();
        for (String url : urls(response)) {
            made.add(new Picture(questions.ask(() -> pictures.at(url))));
        }
        return new Generation(made, Metered.NOTHING);
    }

    /** Of what the content checker let through: the others are black. */
    private List<String> urls(Answer response) throws JobFailedException {
        var json = response.json();
        var told = new ArrayList<JsonNode>();
        json.path("images").forEach(told::add);
        told.add(json.path("image"));
        var flagged = json.path("has_nsfw_concepts");
        var urls = new ArrayList<String>();
        for (int i = 0; i < told.size(); i++) {
            var url = told.get(i).path("url").asText("");
            if (!url.isEmpty() && !flagged.path(i).asBoolean()) {
                urls.add(url);
            }
        }
        if (!urls.isEmpty()) {
            return urls;
        }
        throw flagged.path(0).asBoolean()
                ? server.permanent("the provider's moderation refused the picture: has_nsfw_concepts")
                : pictures.none(response);
    }

    @Override
    public void close() {
        work.close();
    }
}
