package dev.imagen.backend.openai;

import static java.util.stream.Collectors.toMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Picture;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.ApiKey;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
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
    private static final ObjectMapper JSON = new ObjectMapper();

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
            Parameter.choice("style", "How dramatic; dall-e-3 alone.", "vivid", "natural"));

    /** Of an answer besides its picture. */
    private static final int ROOM = 64 * 1024;

    /** How a refusal of what the prompt asks for, or of the picture that came of it, is told. */
    private static final Set<String> MODERATION = Set.of("moderation_blocked", "content_policy_violation");

    /** Told with the status of what may be gone in a moment, but somebody has to pay first. */
    private static final String NO_MONEY = "insufficient_quota";

    private final BackendInfo info;
    private final RemoteServer server;
    private final String path;
    private final long mostBytes;

    /**
     * @param mostBytes of a picture
     * @param longest of one call
     * @throws IllegalArgumentException where nobody says which models another server than OpenAI's has
     */
    public OpenAiBackend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest) {
        var base = settings.url().orElse(OPENAI);
        this.info = info(models(settings, base));
        this.server = new RemoteServer(http, NAME, base, settings.key().map(ApiKey::bearer), longest);
        this.path = base.getRawPath().endsWith("/v1") ? "/images/generations" : "/v1/images/generations";
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
        return new BackendInfo(NAME, models, DEFAULTS, LIMITS, PARAMETERS, Set.of(), sizes);
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
        var answer = server.post(path, body(request), mostBytes / 3 * 4 + ROOM);
        if (!answer.ok()) {
            throw failure(answer);
        }
        var json = answer.json();
        var pictures = new ArrayList<Picture>();
        for (JsonNode picture : json.path("data")) {
            pictures.add(new Picture(bytes(picture, answer)));
        }
        if (pictures.isEmpty()) {
            throw noPicture(answer);
        }
        return new Generation(pictures, metered(json.path("usage")));
    }

    private static JsonNode body(ImageRequest request) {
        var body = JSON.createObjectNode().put("model", request.model()).put("prompt", request.prompt()).put("size",
                request.size().toString());
        if (ModelFamily.of(request.model()).takesResponseFormat()) {
            body.put("response_format", "b64_json");
        }
        for (Map.Entry<String, Object> param : request.params().entrySet()) {
            body.set(param.getKey(), JSON.valueToTree(param.getValue()));
        }
        return body;
    }

    private JobFailedException failure(Answer answer) {
        var code = answer.json().path("error").path("code").asText("");
        var said = answer.said() + (code.isEmpty() ? "" : " [" + code + "]");
        if (MODERATION.contains(code)) {
            return server.refused(answer, "the provider's moderation refused it: " + said);
        }
        return code.equals(NO_MONEY) ? server.refused(answer, said) : server.failure(answer, said);
    }

    private byte[] bytes(JsonNode picture, Answer answer) throws JobFailedException, InterruptedException {
        var base64 = picture.path("b64_json").asText("");
        var url = picture.path("url").asText("");
        if (base64.isEmpty() && url.isEmpty()) {
            throw noPicture(answer);
        }
        if (base64.isEmpty() && !url.startsWith("data:")) {
            return server.download(url, mostBytes);
        }
        return decoded(base64.isEmpty() ? url : base64);
    }

    /** Some servers send data URLs, some lines of 76 characters. */
    private byte[] decoded(String base64) throws JobFailedException {
        int start = base64.startsWith("data:") ? base64.indexOf(',') + 1 : 0;
        try {
            return Base64.getMimeDecoder().decode(base64.substring(start));
        } catch (IllegalArgumentException e) {
            throw server.temporary("the picture in the answer is damaged: it is no Base64");
        }
    }

    /** What is no JSON may have broken off on its way; what is, would be the same again. */
    private JobFailedException noPicture(Answer answer) {
        var said = answer.said().isEmpty() ? "" : ": " + answer.said();
        return answer.json().isMissingNode()
                ? server.temporary("there is no JSON in the answer" + said)
                : server.permanent("there is no picture in the answer" + said);
    }

    /** Of input and output, pictures included. */
    private static Metered metered(JsonNode usage) {
        return new Metered(tokens(usage.path("input_tokens")), tokens(usage.path("output_tokens")), Optional.empty());
    }

    private static Optional<Long> tokens(JsonNode count) {
        return Optional.of(count).filter(node -> node.canConvertToLong() && node.longValue() >= 0)
                .map(JsonNode::longValue);
    }
}
