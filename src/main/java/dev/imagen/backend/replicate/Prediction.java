package dev.imagen.backend.replicate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.remote.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How one run of a model fares.
 *
 * @param output of whichever form the model gives it
 * @param error empty: none
 * @param logs what the model printed
 */
record Prediction(String id, Status status, JsonNode output, String error, String logs) {

    /** Where it is. */
    enum Status {
        /** It waits, perhaps for a machine. */
        STARTING,
        /** The model runs. */
        PROCESSING, SUCCEEDED, FAILED, CANCELED,
        /** Its time was up before it ran. */
        ABORTED
    }

    /** Empty: the answer tells of none. */
    static Optional<Prediction> of(Answer answer) {
        var json = answer.json();
        var id = json.path("id").asText("");
        return status(json.path("status").asText("")).filter(_ -> id.matches("[A-Za-z0-9_-]{1,100}"))
                .map(status -> new Prediction(id, status, json.path("output"), json.path("error").asText("").strip(),
                        json.path("logs").asText("")));
    }

    private static Optional<Status> status(String told) {
        return switch (told) {
            case "starting", "queued" -> Optional.of(Status.STARTING);
            case "processing" -> Optional.of(Status.PROCESSING);
            case "succeeded", "successful" -> Optional.of(Status.SUCCEEDED);
            case "failed" -> Optional.of(Status.FAILED);
            case "canceled" -> Optional.of(Status.CANCELED);
            case "aborted" -> Optional.of(Status.ABORTED);
            default -> Optional.empty();
        };
    }

    boolean ended() {
        return status != Status.STARTING && status != Status.PROCESSING;
    }

    /** Where its pictures are: every URL of the output. */
    List<String> urls() {
        var urls = new ArrayList<String>();
        collect(output, urls);
        return urls;
    }

    private static void collect(JsonNode output, List<String> urls) {
        if (output.isTextual() && output.textValue().matches("(?s)(https?|data):.*")) {
            urls.add(output.textValue());
        }
        output.forEach(part -> collect(part, urls));
    }
}
