package dev.imagen.backend.remote;

import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * A form with files, as {@code multipart/form-data} (RFC 7578). Names of fields and files are a backend's own words,
 * without quotes or line ends; values and files may be anything.
 */
public final class Multipart {

    private final String boundary = "imagen-" + UUID.randomUUID();
    private final List<BodyPublisher> parts = new ArrayList<>();

    /** Adds a text. */
    public Multipart field(String name, String value) {
        return part("name=\"" + name + "\"\r\n", BodyPublishers.ofString(value));
    }

    /** Adds a file. */
    public Multipart file(String name, String fileName, String mimeType, byte[] bytes) {
        return part("name=\"" + name + "\"; filename=\"" + fileName + "\"\r\nContent-Type: " + mimeType + "\r\n",
                BodyPublishers.ofByteArray(bytes));
    }

    private Multipart part(String head, BodyPublisher value) {
        parts.add(BodyPublishers.ofString("--" + boundary + "\r\nContent-Disposition: form-data; " + head + "\r\n"));
        parts.add(value);
        parts.add(BodyPublishers.ofString("\r\n"));
        return this;
    }

    /** All that was added. Its length is known: not every server takes a body in chunks. */
    public Content content() {
        var all = new ArrayList<>(parts);
        all.add(BodyPublishers.ofString("--" + boundary + "--\r\n"));
        return new Content("multipart/form-data; boundary=" + boundary,
                BodyPublishers.concat(all.toArray(BodyPublisher[]::new)));
    }
}
