package dev.imagen.backend.replicate;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Replicate's API of predictions. URLs that its answers name are not followed with the key: a prediction's own follow
 * from its id.
 */
final class Predictions {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Longer ones are the provider's own, which ends every prediction then. */
    private static final Duration LONGEST_DEADLINE = Duration.ofMinutes(30);
    private static final Duration SHORTEST_DEADLINE = Duration.ofSeconds(5);

    private static final Pattern RESETS = Pattern.compile("resets in ~?(\\d{1,5})s");

    private final RemoteServer server;
    private final RemoteServer questions;
    private final String prefix;
    private final Map<String, String> headers;

    /**
     * @param questions the same server, whose calls are short
     * @param prefix of every path
     * @param hold how long the answer may be held back for the picture
     * @param longest of a prediction, which Replicate is told too: it ends what a process that died has begun
     */
    Predictions(RemoteServer server, RemoteServer questions, String prefix, Duration hold, Duration longest) {
        this.server = server;
        this.questions = questions;
        this.prefix = prefix;
        var wait = "wait=" + Math.max(1, hold.toSeconds());
        var deadline = longest.compareTo(SHORTEST_DEADLINE) < 0 ? SHORTEST_DEADLINE : longest;
        this.headers = deadline.compareTo(LONGEST_DEADLINE) < 0
                ? Map.of("Prefer", wait, "Cancel-After", deadline.toSeconds() + "s")
                : Map.of("Prefer", wait);
    }

    /** @param most bytes of the answer */
    Answer create(ImageRequest request, long most) throws JobFailedException, InterruptedException {
        var body = JSON.createObjectNode();
        var model = request.model();
        var version = model.substring(model.indexOf(':') + 1);
        if (model.contains("/") && !model.contains(":")) {
            body.set("input", ModelFamily.of(model).input(request));
            var owned = model.startsWith("deployments/") ? "/" : "/models/";
            return server.post(prefix + owned + model + "/predictions", body, headers, most);
        }
        body.put("version", version).set("input", ModelFamily.of(model).input(request));
        return server.post(prefix + "/predictions", body, headers, most);
    }

    /** @throws JobFailedException temporary also where Replicate knows it no longer */
    Prediction get(String id, long most) throws JobFailedException, InterruptedException {
        var answer = questions.get(prefix + "/predictions/" + id, most);
        if (answer.status() == 404) {
            throw questions.temporary("the prediction " + id + " has disappeared: " + answer.said());
        }
        return of(answer);
    }

    /** @throws JobFailedException what an answer that tells of no prediction means */
    Prediction of(Answer answer) throws JobFailedException {
        if (!answer.ok()) {
            throw failure(answer);
        }
        var prediction = Prediction.of(answer);
        if (prediction.isEmpty()) {
            throw answer.json().isMissingNode()
                    ? server.temporary("there is no JSON in the answer")
                    : server.permanent("there is no prediction in the answer");
        }
        return prediction.get();
    }

    private JobFailedException failure(Answer answer) {
        var said = answer.said();
        if (answer.status() == 404) {
            return server.failure(answer,
                    said + " (only official models go without a version: name others as" + " owner/name:version)");
        }
        return server.failure(answer, said, wait(answer));
    }

    private static Optional<Duration> wait(Answer answer) {
        var told = answer.json().path("retry_after");
        return told.canConvertToInt() && told.intValue() >= 0
                ? Optional.of(Duration.ofSeconds(told.intValue()))
                : RESETS.matcher(answer.said()).results().findFirst()
                        .map(reset -> Duration.ofSeconds(Long.parseLong(reset.group(1))));
    }

    /** What began with this answer, if anything did. */
    void cancel(Answer created) throws JobFailedException, InterruptedException {
        var prediction = Prediction.of(created);
        if (prediction.isPresent() && !prediction.get().ended()) {
            cancel(prediction.get().id());
        }
    }

    void cancel(String id) throws JobFailedException, InterruptedException {
        var answer = questions.call("POST", prefix + "/predictions/" + id + "/cancel", 1 << 20);
        if (!answer.ok()) {
            throw questions.failure(answer);
        }
    }

    /** Asks whose key it is, which costs nothing. */
    void account() throws JobFailedException, InterruptedException {
        var answer = questions.get(prefix + "/account", 1 << 20);
        if (!answer.ok()) {
            throw failure(answer);
        }
    }
}
