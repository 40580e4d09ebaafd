package dev.imagen.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Strict reading and plain writing of JSON. */
final class Json {

    static final int MAX_BODY_BYTES = 256 * 1024;

    private static final int BUFFERS = 16;

    private static final String TOO_LONG = "the body is longer than 256 KiB (262144 bytes)";

    private static final Pattern JSON_TYPE = Pattern.compile("\\s*application/([^;\\s/]+\\+)?json\\s*(;.*)?",
            Pattern.CASE_INSENSITIVE);

    /** Jackson would keep buffers for each thread, and there are as many threads as connections. */
    private static final JsonFactory BUFFERS_OF_ALL = JsonFactory.builder()
            .recyclerPool(JsonRecyclerPools.newBoundedPool(BUFFERS)).build();

    private static final ObjectMapper MAPPER = JsonMapper.builder(BUFFERS_OF_ALL)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static byte[] bytes(JsonNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree can be written", e);
        }
    }

    /** The values of an object by their names, in alphabetical order; no null ones. */
    static Map<String, Object> values(ObjectNode node) {
        var values = new TreeMap<String, Object>();
        node.properties().stream().filter(field -> !field.getValue().isNull())
                .forEach(field -> values.put(field.getKey(), MAPPER.convertValue(field.getValue(), Object.class)));
        return values;
    }

    static JsonNode node(Map<String, Object> values) {
        return MAPPER.valueToTree(values);
    }

    /** What the database holds as json. */
    static JsonNode read(String json) {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a column of type jsonb holds nothing else", e);
        }
    }

    /** The object in a request's body. */
    static ObjectNode body(ServerRequest request) {
        if (!request.content().hasEntity()) {
            throw Problem.exception(Status.BAD_REQUEST_400, "the body must be a JSON object");
        }
        // Also a guard: a web page elsewhere can send this type only if this server said so beforehand.
        // As text: Helidon's own reading of the header fails on one that is no media type.
        var type = request.headers().first(HeaderNames.CONTENT_TYPE);
        if (type.isEmpty() || !JSON_TYPE.matcher(type.get()).matches()) {
            throw Problem.exception(Status.UNSUPPORTED_MEDIA_TYPE_415, "send the body as application/json");
        }
        try {
            if (MAPPER.readTree(Body.bytes(request, MAX_BODY_BYTES, TOO_LONG)) instanceof ObjectNode object) {
                return object;
            }
            throw Problem.exception(Status.BAD_REQUEST_400, "the body must be a JSON object");
        } catch (JsonProcessingException e) {
            var at = e.getLocation();
            throw Problem.exception(Status.BAD_REQUEST_400, "the body is not valid JSON: "
                    // Without the parser's hints to programmers.
                    + e.getOriginalMessage().replaceFirst(" \\(.*", "")
                    + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr()));
        } catch (IOException e) {
            throw Problem.exception(Status.BAD_REQUEST_400, "the body could not be read to its end");
        }
    }

    static void send(ServerResponse response, Status status, JsonNode node) {
        response.status(status);
        response.headers().set(HeaderNames.CONTENT_TYPE, "application/json");
        response.headers().set(HeaderNames.CACHE_CONTROL, "no-store");
        response.send(bytes(node));
    }
}
