package dev.imagen.backend.comfyui;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.comfyui.Workflow.WorkflowParameter;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Makes the graph of nodes of a request, and puts what it begins with onto the server. */
final class Graphs {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final RemoteServer server;
    private final Workflows workflows;
    private final Offer offer;

    Graphs(RemoteServer server, Workflows workflows, Offer offer) {
        this.server = server;
        this.workflows = workflows;
        this.offer = offer;
    }

    /**
     * @param listed what the server is known to have
     * @param id of the prompt
     */
    ObjectNode of(ImageRequest request, Listed listed, String id) throws JobFailedException, InterruptedException {
        var workflow = workflows.find(request.model());
        if (workflow.isEmpty()) {
            var checkpoint = request.model().equals(Offer.FIRST_LISTED) ? first(listed) : request.model();
            return StandardGraph.of(request, checkpoint, uploaded(request), "imagen/" + id);
        }
        return workflow.get().filled(values(request, workflow.get(), listed));
    }

    /** The checkpoint of those who name none. */
    private String first(Listed listed) throws JobFailedException, InterruptedException {
        var known = offer.checkpoints(listed);
        if (!known.isEmpty()) {
            return known.getFirst();
        }
        return Listed.checkpointsOf(server).stream().findFirst()
                .orElseThrow(() -> server.permanent("the server has no checkpoint: put one into its folder"
                        + " models/checkpoints, or set backends.comfyui.workflows (BACKENDS_COMFYUI_WORKFLOWS)"));
    }

    private Optional<String> uploaded(ImageRequest request) throws JobFailedException, InterruptedException {
        return request.input().isEmpty()
                ? Optional.empty()
                : Optional.of(Upload.send(server, request.input().orElseThrow()));
    }

    private Map<String, JsonNode> values(ImageRequest request, Workflow workflow, Listed listed)
            throws JobFailedException, InterruptedException {
        var json = JsonNodeFactory.instance;
        var values = new HashMap<String, JsonNode>();
        values.put(Workflow.PROMPT, json.textNode(request.prompt()));
        values.put(Workflow.NEGATIVE, json.textNode(request.negativePrompt()
                .or(() -> workflow.fields().getOrDefault(Workflow.NEGATIVE, Optional.empty())).orElse("")));
        values.put(Workflow.SEED, json.numberNode(request.seed()));
        values.put(Workflow.WIDTH, json.numberNode(request.width()));
        values.put(Workflow.HEIGHT, json.numberNode(request.height()));
        values.put(Workflow.STEPS, json.numberNode(request.steps()));
        values.put(Workflow.STRENGTH, json.numberNode(request.input().map(InputPicture::strength).orElse(1.0)));
        if (workflow.takes(Workflow.MODEL)) {
            values.put(Workflow.MODEL,
                    json.textNode(request.params().get(StandardParameters.CHECKPOINT) instanceof String checkpoint
                            ? checkpoint
                            : first(listed)));
        }
        if (workflow.takes(Workflow.IMAGE)) {
            values.put(Workflow.IMAGE, json.textNode(uploaded(request).orElseThrow()));
        }
        for (WorkflowParameter known : workflow.parameters()) {
            var set = request.params().get(known.parameter().name());
            values.put(Placeholder.nameOf(known.parameter().name()),
                    set == null ? known.usual() : JSON.valueToTree(set));
        }
        return values;
    }
}
