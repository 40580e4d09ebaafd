package dev.imagen.backend.remote;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sizes that a provider is asked for by names, such as an aspect ratio. */
public final class NamedSizes {

    private final Map<Size, Map<String, String>> names = new LinkedHashMap<>();

    /**
     * @param table a size and its names in each line, between blanks; in the first one {@code size} and the fields that
     *     take the names
     */
    public NamedSizes(String table) {
        var lines = table.lines().map(line -> line.strip().split(" +")).toList();
        var fields = lines.getFirst();
        for (String[] line : lines.subList(1, lines.size())) {
            var named = new LinkedHashMap<String, String>();
            for (int i = 1; i < fields.length; i++) {
                named.put(fields[i], line[i]);
            }
            names.put(Size.of(line[0]), named);
        }
    }

    /** These. */
    public Sizes sizes() {
        return new Sizes.Listed(List.copyOf(names.keySet()));
    }

    /** Asks for a size. @param size one of {@link #sizes} */
    public void put(ObjectNode request, Size size) {
        names.get(size).forEach(request::put);
    }
}
