package dev.imagen.backend.automatic1111;

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
import dev.imagen.backend.Sizes;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.ApiKey;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.job.JobFailedException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A server with the API of the AUTOMATIC1111 web UI ({@code sdapi}): that itself, Forge, SD.Next, sd-server. Such a
 * server draws one picture at a time, so this process asks it for one at a time.
 */
public final class Automatic1111Backend implements ImageBackend {

    /** As in the settings. */
    public static final String NAME = "automatic1111";

    /** The model where none is set: whichever the server has loaded. */
    static final String LOADED = "loaded";

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final int SMALLEST = 64;
    private static final int LARGEST = 4096;
    private static final long MOST_PIXELS = (long) LARGEST * LARGEST;
    private static final BackendInfo.Defaults DEFAULTS = new BackendInfo.Defaults(512, 512, 20);
    private static final BackendInfo.Limits LIMITS = new BackendInfo.Limits(SMALLEST, LARGEST, MOST_PIXELS, 150);

    /** Eight pixels are one of the latent picture. */
    private static final Sizes SIZES = new Sizes.Ranged(SMALLEST, LARGEST, MOST_PIXELS, 8, LARGEST / SMALLEST);

    /** Goes by another name in the settings that a call overrides. */
    private static final String CLIP_SKIP = "clip_skip";

    private static final List<Parameter> PARAMETERS = List.of(
            new Parameter("sampler_name", "As the server lists it, such as Euler a or DPM++ 2M.", new Kind.Text(100)),
            new Parameter("scheduler", "Of the noise, as the server lists it, such as Karras.", new Kind.Text(100)),
            new Parameter("cfg_scale", "How closely the picture follows the prompt.", new Kind.Decimal(0, 30)),
            new Parameter("distilled_cfg_scale", "The same for Flux, on Forge alone.", new Kind.Decimal(0, 30)),
            new Parameter(CLIP_SKIP, "At which layer of CLIP to stop, from the last.", new Kind.Whole(1, 12)),
            new Parameter("restore_faces", "Whether faces are repaired afterwards.", new Kind.Flag()),
            new Parameter("tiling", "Whether the picture's edges match.", new Kind.Flag()),
            new Parameter("subseed", "Of a variation of the seed's picture.", new Kind.Whole(0, (1L << 53) - 1)),
            new Parameter("subseed_strength", "How much of that variation.", new Kind.Decimal(0, 1)));

    /** Of an answer besides its picture: the request, which it repeats, and how the picture was made. */
    private static final int ROOM = 1024 * 1024;

    /** Of a question that only tells how far the picture is. */
    private static final Duration QUESTION = Duration.ofSeconds(3);

    /** That a call stays open after its time, to end what the server draws. */
    private static final Duration TO_LEAVE = Duration.ofMinutes(1);

    private final BackendInfo info;
    private final URI base;
    private final RemoteServer server;
    private final Questions questions;
    private final long mostBytes;
    private final Duration longest;
    private final Semaphore turn = new Semaphore(1, true);

    /**
     * @param mostBytes of a picture
     * @param longest of one call
     * @throws IllegalArgumentException for settings without a URL, or with a key that is no user and password
     */
    public Automatic1111Backend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest) {
        this.base = settings.url().orElseThrow(() -> new IllegalArgumentException(
                "backends.automatic1111.url (BACKENDS_AUTOMATIC1111_URL) must be set where the key is"));
        var key = settings.key().map(Automatic1111Backend::basic);
        this.server = new RemoteServer(http, NAME, base, key, longest.plus(TO_LEAVE));
        this.questions = new Questions(new RemoteServer(http, NAME, base, key, QUESTION));
        this.info = info(settings.models().isEmpty() ? List.of(LOADED) : settings.models());
        this.mostBytes = mostBytes;
        this.longest = longest;
    }

    private static ApiKey basic(Secret userAndPassword) {
        if (userAndPassword.value().indexOf(':') < 1) {
            throw new IllegalArgumentException("backends.automatic1111.key (BACKENDS_AUTOMATIC1111_KEY) must be"
                    + " user:password, as the server was given by --api-auth");
        }
        var encoded = Base64.getEncoder().encodeToString(userAndPassword.value().getBytes(StandardCharsets.UTF_8));
        return new ApiKey("Authorization", new Secret("Basic " + encoded), userAndPassword);
    }

    private static BackendInfo info(List<String> models) {
        return new BackendInfo(NAME, models, DEFAULTS, LIMITS, PARAMETERS,
                EnumSet.complementOf(EnumSet.of(Feature.INPUT_IMAGE)),
                models.stream().collect(toMap(model -> model, _ -> SIZES)));
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        turn.acquire();
        var task = "task(imagen-" + UUID.randomUUID() + ")";
        var call = PictureCall.start(task, request.steps(), questions,
                () -> server.post("/sdapi/v1/txt2img", body(request, task), mostBytes / 3 * 4 + ROOM));
        try {
            return generation(request, call.await(progress, longest), call);
        } catch (TimeoutException e) {
            throw server
                    .temporary("no whole answer from " + base.getAuthority() + " within " + longest.toSeconds() + " s");
        } finally {
            end(call);
        }
    }

    /** An open call is left by another thread: whoever cancels a job does not wait for its server. */
    private void end(PictureCall call) {
        if (call.ended()) {
            turn.release();
        } else {
            Thread.ofVirtual().name("imagen-automatic1111-leave").start(() -> {
                call.leave();
                turn.release();
            });
        }
    }

    private static JsonNode body(ImageRequest request, String task) {
        var body = JSON.createObjectNode().put("prompt", request.prompt())
                .put("negative_prompt", request.negativePrompt().orElse("")).put("seed", request.seed())
                .put("steps", request.steps()).put("width", request.width()).put("height", request.height())
                .put("batch_size", 1).put("n_iter", 1).put("send_images", true).put("save_images", false)
                .put("force_task_id", task);
        request.params().forEach((name, value) -> body.set(name, JSON.valueToTree(value)));
        var overridden = JSON.createObjectNode();
        if (!request.model().equals(LOADED)) {
            overridden.put("sd_model_checkpoint", request.model());
        }
        if (request.params().containsKey(CLIP_SKIP)) {
            overridden.set("CLIP_stop_at_last_layers", body.path(CLIP_SKIP));
        }
        if (!overridden.isEmpty()) {
            body.put("override_settings_restore_afterwards", true).set("override_settings", overridden);
        }
        return body;
    }

    private Generation generation(ImageRequest request, Answer answer, PictureCall call)
            throws JobFailedException, InterruptedException {
        if (!answer.ok()) {
            throw Failures.of(server, base.getAuthority(), request, answer);
        }
        var drawn = Drawn.of(answer);
        if (drawn.isEmpty()) {
            throw noPicture(answer);
        }
        if (call.endedByOthers()) {
            throw server.temporary("somebody interrupted " + base.getAuthority() + " while it drew the picture");
        }
        if (!request.model().equals(LOADED) && !drawn.get().by(request.model())) {
            throw server.permanent(base.getAuthority() + " does not know the model \"" + request.model()
                    + "\" and drew with " + drawn.get().model());
        }
        return Generation.of(drawn.get().picture());
    }

    /** What is no JSON may have broken off on its way; what is, would be the same again. */
    private JobFailedException noPicture(Answer answer) {
        return answer.json().isMissingNode()
                ? server.temporary("there is no JSON in the answer of " + base.getAuthority())
                : server.permanent("there is no picture in the answer of " + base.getAuthority());
    }

    @Override
    public void close() {
        try {
            if (turn.tryAcquire(QUESTION.toMillis(), TimeUnit.MILLISECONDS)) {
                turn.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
