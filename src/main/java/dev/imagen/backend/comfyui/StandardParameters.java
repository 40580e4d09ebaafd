package dev.imagen.backend.comfyui;

import dev.imagen.backend.Parameter;
import dev.imagen.backend.Parameter.Kind;
import java.util.List;

/** What jobs may set in their params for every checkpoint, as the nodes of ComfyUI call it. */
final class StandardParameters {

    static final String SAMPLER = "sampler_name";
    static final String SCHEDULER = "scheduler";
    static final String CFG = "cfg";
    static final String CLIP_SKIP = "clip_skip";

    /** Of workflows that leave the checkpoint to the job. */
    static final String CHECKPOINT = "ckpt_name";

    /** Of samplers and schedulers before a server has listed its own, and of names of checkpoints. */
    private static final int LONGEST = 200;

    private StandardParameters() {}

    /** @param listed what the server has; nothing of it as long as it was not asked */
    static List<Parameter> of(Listed listed) {
        return List.of(
                new Parameter(SAMPLER, "How noise becomes a picture, as the server lists it.",
                        oneOf(listed.samplers())),
                new Parameter(SCHEDULER, "How much noise is left at each step, as the server lists it.",
                        oneOf(listed.schedulers())),
                new Parameter(CFG, "How closely the picture follows the prompt.", new Kind.Decimal(0, 100)),
                new Parameter(CLIP_SKIP, "At which layer of CLIP to stop, from the last.", new Kind.Whole(1, 12)));
    }

    /** @param checkpoints that jobs may name; none: any */
    static Parameter checkpoint(List<String> checkpoints) {
        return new Parameter(CHECKPOINT, "The checkpoint of a workflow that leaves it to the job.", oneOf(checkpoints));
    }

    private static Kind oneOf(List<String> values) {
        return values.isEmpty() ? new Kind.Text(LONGEST) : new Kind.Choice(values);
    }
}
