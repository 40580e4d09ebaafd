package dev.imagen.backend.automatic1111;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Progress;
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

    /** Of an answer besides its picture: the request, which it repeats, and how the picture was made. */
    private static final int ROOM = 1024 * 1024;

    /** Of a question that only tells how far the picture is. */
    private static final Duration QUESTION = Duration.ofSeconds(3);
    private static final Duration BETWEEN_QUESTIONS = Duration.ofMillis(500);

    /** Of a question for what there is, while it may draw. */
    private static final Duration LIST = Duration.ofSeconds(10);

    /** That a call stays open after its time, to end what the server draws. */
    private static final Duration TO_LEAVE = Duration.ofMinutes(1);

    private final URI base;
    private final RemoteServer server;
    private final Questions questions;
    private final Catalog catalog;
    private final long mostBytes;
    private final Duration longest;
    private final Semaphore turn = new Semaphore(1, true);

    /**
     * @param mostBytes of a picture
     * @param longest of one call
     * @throws IllegalArgumentException for settings without a URL, or with a key that is no user and password
     */
    public Automatic1111Backend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest) {
        this(settings, http, mostBytes, longest, BETWEEN_QUESTIONS);
    }

    Automatic1111Backend(RemoteBackendSettings settings, RemoteHttp http, long mostBytes, Duration longest,
            Duration betweenQuestions) {
        this.base = settings.url().orElseThrow(() -> new IllegalArgumentException(
                "backends.automatic1111.url (BACKENDS_AUTOMATIC1111_URL) must be set where the key is"));
        var key = settings.key().map(Automatic1111Backend::basic);
        this.server = new RemoteServer(http, NAME, base, key, longest.plus(TO_LEAVE));
        this.questions = new Questions(new RemoteServer(http, NAME, base, key, QUESTION), betweenQuestions);
        this.catalog = new Catalog(new RemoteServer(http, NAME, base, key, LIST), settings.models());
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

    @Override
    public BackendInfo info() {
        return catalog.info();
    }

    @Override
    public void probe() throws JobFailedException, InterruptedException {
        catalog.ask();
    }

    @Override
    public int waiting() throws JobFailedException, InterruptedException {
        return questions.drawn();
    }

    @Override
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        turn.acquire();
        var task = "task(imagen-" + UUID.randomUUID() + ")";
        var call = PictureCall.start(task, request.steps(), questions,
                () -> server.post(DrawRequest.path(request), DrawRequest.body(request, task), most(request)));
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

    /** Bytes of an answer, in which some servers repeat the request. */
    private long most(ImageRequest request) {
        long input = request.input().map(picture -> picture.bytes().length).orElse(0);
        return (mostBytes + input) / 3 * 4 + ROOM;
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
        if (!request.model().equals(Catalog.LOADED) && !drawn.get().by(request.model())) {
            throw server.permanent(base.getAuthority() + otherModel(request, drawn.get().model()));
        }
        return Generation.of(drawn.get().picture());
    }

    private static String otherModel(ImageRequest request, String drew) {
        return request.input().isEmpty()
                ? " does not know the model \"" + request.model() + "\" and drew with " + drew
                : " drew with " + drew + " instead of the model \"" + request.model() + "\", which it does not know, or"
                        + " it is Forge, which keeps its model where a job begins with a picture: load it there first";
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
