package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Picture;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.remote.ApiKey;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.UUID;

/**
 * A ComfyUI server. It draws the graphs of nodes that it is given, one at a time, and keeps a queue of its own: the
 * usual graph for a checkpoint, or a workflow of the user.
 */
public final class ComfyUiBackend implements ImageBackend {

    /** As in the settings. */
    public static final String NAME = "comfyui";

    /** Of a question: a server that loads a model is slow to answer. */
    private static final Duration QUESTION = Duration.ofSeconds(10);

    /** For taking prompts back when the process stops. */
    private static final Duration LAST_WORDS = Duration.ofSeconds(3);

    /** Of one prompt: they are all held until the last is here. */
    private static final int MOST_PICTURES = 16;

    private final RemoteServer server;
    private final RemoteServer questions;
    private final Patience patience;
    private final long mostBytes;
    private final Offer offer;
    private final Graphs graphs;
    private final Prompts prompts;
    private final Failures failures;
    private final Leaving leaving;
    private volatile Optional<Listed> listed = Optional.empty();
    private volatile BackendInfo info;

    /**
     * @param workflows a folder of workflows
     * @param mostBytes of a picture
     * @param longest of one call
     * @throws IllegalArgumentException for settings without a URL, or with a workflow that cannot be drawn
     */
    public ComfyUiBackend(RemoteBackendSettings settings, Optional<Path> workflows, RemoteHttp http, long mostBytes,
            Duration longest) {
        this(settings, Workflows.in(workflows), http, mostBytes, new Patience(longest));
    }

    ComfyUiBackend(RemoteBackendSettings settings, Workflows workflows, RemoteHttp http, long mostBytes,
            Patience patience) {
        var base = settings.url().orElseThrow(() -> new IllegalArgumentException(
                "backends.comfyui.url (BACKENDS_COMFYUI_URL) must be set where the key is"));
        var key = settings.key().map(ApiKey::bearer);
        this.server = new RemoteServer(http, NAME, base, key, patience.longest());
        this.questions = new RemoteServer(http, NAME, base, key, QUESTION);
        this.patience = patience;
        this.mostBytes = mostBytes;
        this.offer = new Offer(settings.models(), workflows);
        this.graphs = new Graphs(server, workflows, offer);
        this.prompts = new Prompts(server, questions);
        this.failures = new Failures(server, base.getAuthority());
        this.leaving = new Leaving(prompts, patience.look());
        this.info = offer.info(Optional.empty());
    }

    @Override
    public BackendInfo info() {
        return info;
    }

    @Override
    public void probe() throws JobFailedException, InterruptedException {
        if (!Listed.asked(questions, "/system_stats").path("system").isObject()) {
            throw questions.permanent("the server does not answer as ComfyUI does; check backends.comfyui.url"
                    + " (BACKENDS_COMFYUI_URL)");
        }
        listed = Optional.of(Listed.by(questions));
        info = offer.info(listed);
    }

    @Override
    public int waiting() throws JobFailedException, InterruptedException {
        return Listed.waiting(questions);
    }

    @Override
    public Optional<Refusal> refusal(ImageRequest request) {
        return offer.refusal(request);
    }

    @Override
    public Generation generate(ImageRequest request, Progress progress)
            throws JobFailedException, InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        var id = UUID.randomUUID().toString();
        var graph = graphs.of(request, listed.orElse(Listed.NOTHING), id);
        var run = new Run(id, prompts, failures, patience);
        try {
            return generation(run.toItsEnd(graph, progress));
        } finally {
            if (run.open()) {
                leaving.leave(run.prompt(), run.taken());
            }
        }
    }

    private Generation generation(JsonNode entry) throws JobFailedException, InterruptedException {
        var failure = failures.ended(entry);
        if (failure.isPresent()) {
            throw failure.get();
        }
        var files = new ArrayList<JsonNode>();
        for (JsonNode output : entry.path("outputs")) {
            for (JsonNode file : output.path("images")) {
                if (file.path("type").asText().equals("output")) {
                    files.add(file);
                }
            }
        }
        if (files.isEmpty()) {
            throw failures.noPicture();
        }
        if (files.size() > MOST_PICTURES) {
            throw failures.tooMany(files.size(), MOST_PICTURES);
        }
        var pictures = new ArrayList<Picture>();
        for (JsonNode file : files) {
            pictures.add(new Picture(downloaded(file)));
        }
        return new Generation(pictures, Metered.NOTHING);
    }

    private byte[] downloaded(JsonNode file) throws JobFailedException, InterruptedException {
        var name = file.path("filename").asText();
        var answer = server.get("/view?filename=" + encoded(name) + "&subfolder="
                + encoded(file.path("subfolder").asText()) + "&type=output", mostBytes);
        if (!answer.ok()) {
            throw server.failure(answer, "the picture " + name + " could not be fetched");
        }
        return answer.body();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        try {
            leaving.awaitTold(LAST_WORDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
