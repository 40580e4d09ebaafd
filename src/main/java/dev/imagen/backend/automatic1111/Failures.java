package dev.imagen.backend.automatic1111;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.remote.Answer;
import dev.imagen.backend.remote.RemoteServer;
import dev.imagen.job.JobFailedException;

/** What the errors of these servers mean. Most name a Python exception, with the status 500 whatever it is. */
final class Failures {

    private Failures() {}

    static JobFailedException of(RemoteServer server, String host, ImageRequest request, Answer answer) {
        var json = answer.json();
        var said = said(answer, json);
        if (said.contains("Sampler not found")) {
            return server.permanent(host + " does not know the sampler \""
                    + request.params().getOrDefault("sampler_name", "") + "\": set another as params.sampler_name");
        }
        if (said.matches("(?s).*\\bmodel .* not found.*")) {
            return server.permanent(host + " does not know the model \"" + request.model() + "\": " + said);
        }
        if (json.path("error").asText().equals("NansException")) {
            return server.permanent(host + " made no picture but NaNs: start it with --no-half or --no-half-vae, or"
                    + " use another model: " + said);
        }
        if (said.contains("Invalid encoded image")) {
            return server.permanent(host + " cannot read the picture of input_image_id: " + said);
        }
        return of(server, answer);
    }

    /** Where nothing was asked for that a job says. */
    static JobFailedException of(RemoteServer server, Answer answer) {
        var said = said(answer, answer.json());
        return server.failure(answer,
                answer.status() == 404 && said.equals("Not Found")
                        ? "there is no sdapi: the web UI needs the option --api"
                        : said);
    }

    private static String said(Answer answer, JsonNode json) {
        var detail = json.path("detail");
        if (detail.isTextual() && !detail.textValue().isBlank()) {
            return detail.textValue();
        }
        var errors = json.path("errors").asText("").strip();
        var error = json.path("error");
        if (error.isTextual() && !errors.isEmpty()) {
            return error.textValue() + ": " + errors;
        }
        return answer.said();
    }
}
