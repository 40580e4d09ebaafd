package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/** What the errors of a server mean. */
final class Failures {

    /** Fields of a job, by the input of the standard graph that they become. */
    private static final Map<String, String> FIELDS = Map.of("ckpt_name", "model", "sampler_name",
            "params.sampler_name", "scheduler", "params.scheduler", "cfg", "params.cfg");

    /** Of exceptions in nodes: what the same graph would meet again. */
    private static final Pattern SAME_AGAIN = Pattern.compile(
            "(.*\\.)?(Value|Type|Key|Index|Attribute|NotImplemented|Assertion|FileNotFound|IsADirectory|Permission"
                    + "|Import|ModuleNotFound|Name|Syntax|UnidentifiedImage|Unpickling|Safetensor|ZeroDivision)Error");
    private static final Pattern DO_NOT_FIT = Pattern
            .compile("(?s).*(shapes cannot be multiplied|size of tensor|Sizes of tensors must match|size mismatch"
                    + "|not implemented for|Could not detect model type).*");

    private static final Pattern OUT_OF_MEMORY = Pattern
            .compile("(?is).*(OutOfMemoryError|ran out of memory|out of memory|MemoryError|not enough memory).*");

    private final RemoteServer server;
    private final String host;

    Failures(RemoteServer server, String host) {
        this.server = server;
        this.host = host;
    }

    /** Of a prompt that was not taken. */
    JobFailedException refused(Answer answer) {
        var nodes = answer.json().path("node_errors");
        return nodes.isEmpty() ? server.failure(answer, said(answer)) : server.refused(answer, nodeErrors(nodes));
    }

    private static String said(Answer answer) {
        var error = answer.json().path("error");
        var details = error.path("details").asText("").strip();
        return details.isEmpty() || details.equals(answer.said()) ? answer.said() : answer.said() + " " + details;
    }

    private static String nodeErrors(JsonNode nodes) {
        var told = new StringJoiner("; ");
        nodes.properties().forEach(node -> node.getValue().path("errors")
                .forEach(error -> told.add(nodeError(node.getKey(), node.getValue(), error))));
        return told.toString();
    }

    private static String nodeError(String id, JsonNode node, JsonNode error) {
        var message = error.path("message").asText("");
        var details = error.path("details").asText("");
        var field = Optional.ofNullable(FIELDS.get(error.path("extra_info").path("input_name").asText("")));
        return "node " + id + " (" + node.path("class_type").asText("") + "): " + message
                + (details.isEmpty() ? "" : ": " + details)
                + field.map(name -> " (set by the job as " + name + ")").orElse("");
    }

    /** Of an answer that looks like that of another program. */
    JobFailedException noPrompt(Answer answer) {
        return answer.json().isMissingNode()
                ? server.temporary("there is no JSON in the answer of " + host)
                : server.permanent("there is no prompt_id in the answer of " + host + ": is it ComfyUI?");
    }

    JobFailedException late(Duration longest) {
        return server.temporary("no picture from " + host + " within " + longest.toSeconds() + " s");
    }

    JobFailedException lost() {
        return server.temporary(
                host + " no longer knows the prompt: it was started again, or somebody removed the" + " prompt");
    }

    /** Why there is no picture; empty: there should be one. @param entry of the history */
    Optional<JobFailedException> ended(JsonNode entry) {
        for (JsonNode message : entry.path("status").path("messages")) {
            switch (message.path(0).asText()) {
                case "execution_error" -> {
                    return Optional.of(failed(message.path(1)));
                }
                case "execution_interrupted" -> {
                    return Optional.of(server.temporary("somebody interrupted " + host + " while it drew the picture"));
                }
                default -> {
                    // Of its beginning, and of what needed not be done again.
                }
            }
        }
        return entry.path("status").path("status_str").asText().equals("error")
                ? Optional.of(server.temporary(host + " did not draw the picture, and does not say why"))
                : Optional.empty();
    }

    private JobFailedException failed(JsonNode error) {
        var type = error.path("exception_type").asText("");
        var message = error.path("exception_message").asText("").strip();
        var told = "node " + error.path("node_id").asText("") + " (" + error.path("node_type").asText("") + ") of "
                + host + " failed: " + type + (message.isEmpty() ? "" : ": " + message);
        if (OUT_OF_MEMORY.matcher(type + " " + message).matches()) {
            return server.temporary(told);
        }
        boolean same = SAME_AGAIN.matcher(type).matches() || DO_NOT_FIT.matcher(message).matches();
        return same ? server.permanent(told) : server.temporary(told);
    }

    JobFailedException noPicture() {
        return server.permanent("the prompt ended without a picture of the type output: a workflow has to end in Save"
                + " Image (SaveImage)");
    }

    JobFailedException tooMany(int pictures, int most) {
        return server.permanent("the prompt made " + pictures + " pictures, at most " + most + " are taken");
    }
}
