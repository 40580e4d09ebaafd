package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * What a server says that it has.
 *
 * @param checkpoints by file, those in folders with their folder
 */
record Listed(List<String> checkpoints, List<String> samplers, List<String> schedulers) {

    /** Of a server that was not asked. */
    static final Listed NOTHING = new Listed(List.of(), List.of(), List.of());

    /** Of an answer: folders of thousands of files are listed too. */
    private static final int MOST_BYTES = 4 * 1024 * 1024;

    private static final int MOST_NAMES = 1000;
    private static final int LONGEST_NAME = 200;

    static Listed by(RemoteServer server) throws JobFailedException, InterruptedException {
        var sampling = asked(server, "/object_info/KSampler").path("KSampler").path("input").path("required");
        return new Listed(checkpointsOf(server), options(sampling.path(StandardParameters.SAMPLER)),
                options(sampling.path(StandardParameters.SCHEDULER)));
    }

    /** How many prompts are drawn and wait, whoever they are of. */
    static int waiting(RemoteServer server) throws JobFailedException, InterruptedException {
        return asked(server, "/prompt").path("exec_info").path("queue_remaining").asInt();
    }

    static List<String> checkpointsOf(RemoteServer server) throws JobFailedException, InterruptedException {
        return texts(asked(server, "/models/checkpoints"));
    }

    /** @throws JobFailedException where the server gives no good answer */
    static JsonNode asked(RemoteServer server, String path) throws JobFailedException, InterruptedException {
        var answer = server.get(path, MOST_BYTES);
        if (!answer.ok()) {
            throw server.failure(answer);
        }
        return answer.json();
    }

    /** Of an input that takes one of some values; newer nodes describe it in another way. */
    private static List<String> options(JsonNode input) {
        return texts(input.path(0).isArray() ? input.path(0) : input.path(1).path("options"));
    }

    private static List<String> texts(JsonNode list) {
        var texts = new LinkedHashSet<String>();
        for (JsonNode text : list) {
            texts.add(text.asText(""));
        }
        return texts.stream().filter(text -> !text.isBlank() && text.length() <= LONGEST_NAME).limit(MOST_NAMES)
                .toList();
    }
}
