package dev.imagen.testing;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** A form as {@code multipart/form-data}, read by the letter of RFC 7578. */
public record MultipartForm(List<Part> parts) {

    private static final Pattern TYPE = Pattern
            .compile("multipart/form-data; ?boundary=\"?([0-9A-Za-z'()+_,./:=?-]+)\"?");
    private static final Pattern DISPOSITION = Pattern
            .compile("form-data; name=\"([^\"\r\n]+)\"(?:; filename=\"([^\"\r\n]*)\")?");

    /** @param fileName of a file @param type empty: none is said */
    public record Part(String name, Optional<String> fileName, String type, byte[] bytes) {

        /** Of a field. */
        public String text() {
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }

    /** Of this name. */
    public List<Part> named(String name) {
        return parts.stream().filter(part -> part.name().equals(name)).toList();
    }

    /** @throws IllegalArgumentException saying what is wrong with it */
    public static MultipartForm read(String contentType, byte[] body) {
        var type = TYPE.matcher(contentType);
        require(type.matches(), "no boundary in " + contentType);
        // One character for each byte.
        var text = new String(body, StandardCharsets.ISO_8859_1);
        var delimiter = "--" + type.group(1);
        require(text.startsWith(delimiter + "\r\n"), "it does not begin with its boundary");
        require(text.endsWith("\r\n" + delimiter + "--\r\n"), "it does not end with its boundary");
        var inner = text.substring(delimiter.length() + 2, text.length() - delimiter.length() - 6);
        var parts = new ArrayList<Part>();
        for (String part : inner.split(Pattern.quote("\r\n" + delimiter + "\r\n"), -1)) {
            parts.add(part(part));
        }
        return new MultipartForm(parts);
    }

    private static Part part(String text) {
        int end = text.indexOf("\r\n\r\n");
        require(end > 0, "a part has no headers");
        var type = "";
        var disposition = Optional.<String>empty();
        for (String header : text.substring(0, end).split("\r\n")) {
            var value = header.substring(header.indexOf(':') + 1).strip();
            switch (header.substring(0, Math.max(0, header.indexOf(':'))).toLowerCase()) {
                case "content-disposition" -> disposition = Optional.of(value);
                case "content-type" -> type = value;
                default -> throw new IllegalArgumentException("a part has the header " + header);
            }
        }
        var named = DISPOSITION.matcher(disposition.orElse(""));
        require(named.matches(), "a part has no name");
        return new Part(named.group(1), Optional.ofNullable(named.group(2)), type,
                text.substring(end + 4).getBytes(StandardCharsets.ISO_8859_1));
    }

    private static void require(boolean right, String otherwise) {
        if (!right) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
