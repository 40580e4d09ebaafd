package dev.imagen.backend.gemini;

import static java.util.stream.Collectors.toMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Parameter.Kind;
import dev.imagen.backend.Progress;
import dev.imagen.backend.remote.ApiKey;
import dev.imagen.backend.remote.InputPictures;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.backend.remote.RemotePictures;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.job.JobFailedException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * Google's Gemini API. One call gives the finished picture; whoever is interrupted closes the connection, which is all
 * that there is to cancel by.
 */
public final class GeminiBackend implements ImageBackend {

    /** As in the settings. */
    public static final String NAME = "gemini";

    private static final URI GOOGLE = URI.create("https://generativelanguage.googleapis.com");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final int LARGEST = 8192;
    private static final BackendInfo.Defaults DEFAULTS = new BackendInfo.Defaults(1024, 1024, 0);
    private static final BackendInfo.Limits LIMITS = new BackendInfo.Limits(384, LARGEST, (long) LARGEST * LARGEST, 0);

    private static final String TEMPERATURE = "temperature";
    private static final String THRESHOLD = "safety_threshold";

    private static final List<Parameter> PARAMETERS = List
            .of(new Parameter(TEMPERATURE, "How much the pictures of one prompt differ.", new Kind.Decimal(0, 2)),
                    Parameter.choice(THRESHOLD,
                            "From which probability of harm on, in every category, the provider refuses.",
                            "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF"));

    private static final List<String> HARMS = List.of("HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH",
            "HARM_CATEGORY_SEXUALLY_EXPLICIT", "HARM_CATEGORY_DANGEROUS_CONTENT");

    /** Of an answer besides its picture: words, and signatures of the model's thoughts. */
    private static final int ROOM = 8 * 1024 * 1024;

    /** Of a question to which the server answers at once. */
    private static final Duration QUESTION = Duration.ofSeconds(30);

    private final BackendInfo info;
    private final RemoteServer server;
    private final RemoteServer questions;
    private final RemotePictures pictures;
    private final String path;

    /**
     * @param mostBytes of a picture
     * @param longest of one call
     * @throws IllegalArgumentException for what is no model's name
     */
    public GeminiBackend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest) {
        var base = settings.url().orElse(GOOGLE);
        this.info = info(models(settings));
        var key = settings.key().map(secret -> new ApiKey("x-goog-api-key", secret, secret));
        this.server = new RemoteServer(http, NAME, base, key, longest);
        this.questions = new RemoteServer(http, NAME, base, key, QUESTION);
        this.pictures = new RemotePictures(server, mostBytes);
        this.path = (base.getRawPath().matches(".*/v[0-9][a-z0-9]*") ? "" : "/v1beta") + "/models";
    }

    private static List<String> models(RemoteBackendSettings settings) {
        var models = settings.models().isEmpty() ? ModelFamily.MODELS : settings.models();
        models.stream().filter(model -> !model.matches("[A-Za-z0-9][A-Za-z0-9._-]*")).findFirst().ifPresent(model -> {
            throw new IllegalArgumentException("backends.gemini.models (BACKENDS_GEMINI_MODELS) has '" + model
                    + "', must be a name such as gemini-3.1-flash-image");
        });
        return models;
    }

    private static BackendInfo info(List<String> models) {
        return new BackendInfo(NAME, models, DEFAULTS, LIMITS, PARAMETERS, Set.of(Feature.INPUT_IMAGE),
                models.stream().collect(toMap(model -> model, model -> ModelFamily.of(model).sizes())));
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public void probe() throws JobFailedException, InterruptedException {
        var answer = questions.get(path + "?pageSize=1", 1 << 20);
        if (!answer.ok()) {
            throw Refusals.of(questions, answer);
        }
    }

    @Override
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        InputPictures.check(server, request);
        var answer = server.post(path + "/" + request.model() + ":generateContent", body(request),
                2 * pictures.encoded() + ROOM);
        if (!answer.ok()) {
            throw Refusals.of(server, answer);
        }
        var content = new Content(answer.json());
        var made = content.pictures(pictures);
        if (made.isEmpty()) {
            throw content.told() ? Refusals.of(server, content) : pictures.none(answer);
        }
        return new Generation(made, content.metered());
    }

    private static JsonNode body(ImageRequest request) {
        var body = JSON.createObjectNode();
        var parts = body.putArray("contents").addObject().put("role", "user").putArray("parts");
        parts.addObject().put("text", request.prompt());
        request.input().ifPresent(picture -> parts.addObject().putObject("inlineData")
                .put("mimeType", picture.mimeType()).put("data", InputPictures.base64(picture)));
        var config = body.putObject("generationConfig");
        config.putArray("responseModalities").add("TEXT").add("IMAGE");
        ModelFamily.of(request.model()).put(config, request.size());
        if (request.params().containsKey(TEMPERATURE)) {
            config.set(TEMPERATURE, JSON.valueToTree(request.params().get(TEMPERATURE)));
        }
        if (request.params().containsKey(THRESHOLD)) {
            var settings = body.putArray("safetySettings");
            HARMS.forEach(harm -> settings.addObject().put("category", harm).put("threshold",
                    String.valueOf(request.params().get(THRESHOLD))));
        }
        return body;
    }
}
