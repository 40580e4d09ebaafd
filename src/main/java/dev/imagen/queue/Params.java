package dev.imagen.queue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A job's {@code params} as they are in the database. */
final class Params {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<TreeMap<String, Object>> OBJECT = new TypeReference<>() {
    };

    private Params() {}

    static Map<String, Object> map(Optional<String> json) {
        return json.<Map<String, Object>>map(text -> {
            try {
                return JSON.readValue(text, OBJECT);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("the constraint jobs_params_object lets only objects in", e);
            }
        }).orElseGet(Map::of);
    }

    /** Null for none. */
    static String json(Map<String, Object> params) {
        try {
            return params.isEmpty() ? null : JSON.writeValueAsString(params);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("plain values can be written", e);
        }
    }
}
