package dev.imagen.api;

import io.helidon.http.DirectHandler;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;

/** Reads what a request sent, and no more than it may. */
final class Body {

    private Body() {}

    /**
     * All of it.
     *
     * @param tooLong what is wrong with a body of more than {@code most} bytes
     * @throws IOException when it breaks off
     */
    static byte[] bytes(ServerRequest request, int most, String tooLong) throws IOException {
        if (request.headers().contentLength().orElse(0) > most) {
            throw last(Status.REQUEST_ENTITY_TOO_LARGE_413, tooLong);
        }
        try (var stream = request.content().inputStream()) {
            byte[] bytes = stream.readNBytes(most + 1);
            if (bytes.length > most) {
                throw last(Status.REQUEST_ENTITY_TOO_LARGE_413, tooLong);
            }
            return bytes;
        } catch (IllegalArgumentException e) {
            // Helidon's word for chunks that are none: where the next request begins is not known either.
            throw last(Status.BAD_REQUEST_400, "the chunks of the body have no valid lengths");
        }
    }

    /** The connection ends with this answer: what is left of the body is not read. */
    private static RequestException last(Status status, String message) {
        return RequestException.builder().type(DirectHandler.EventType.BAD_REQUEST).status(status).message(message)
                .setKeepAlive(false).build();
    }
}
