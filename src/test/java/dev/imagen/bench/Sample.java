package dev.imagen.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Optional;

/**
 * One measured number, on a line of JSON of its own. The names are those of a harness that runs several queues side by
 * side, so that ImaGen can be one of them.
 *
 * @param phase what the queue's tables held
 * @param variant what else differed; empty: nothing
 */
record Sample(String peer, String version, String phase, int run, String metric, double value, String unit,
        String variant) {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Of the process that measures; who and when is in its environment. */
    static Sample of(String metric, double value, String unit, String variant) {
        return new Sample(environment("PEER", "imagen"), environment("PEER_VERSION", "dev"),
                environment("PHASE", "fresh"), Integer.parseInt(environment("RUN", "1")), metric, value, unit, variant);
    }

    private static String environment(String name, String otherwise) {
        return Optional.ofNullable(System.getenv(name)).filter(value -> !value.isEmpty()).orElse(otherwise);
    }

    static Sample parse(String line) throws JsonProcessingException {
        var json = JSON.readTree(line);
        return new Sample(json.path("peer").asText(), json.path("version").asText(), json.path("phase").asText(),
                json.path("run").asInt(), json.path("metric").asText(), json.path("value").asDouble(),
                json.path("unit").asText(), json.path("variant").asText());
    }

    String json() {
        var json = JSON.createObjectNode().put("peer", peer).put("version", version).put("phase", phase).put("run", run)
                .put("metric", metric).put("value", Math.round(value * 1000) / 1000.0).put("unit", unit);
        return (variant.isEmpty() ? json : json.put("variant", variant)).toString();
    }

    void print() {
        System.out.println(json());
    }
}
