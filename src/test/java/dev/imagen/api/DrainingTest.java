package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What clients see of a server that goes on for a while only. */
@Timeout(60)
class DrainingTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String GET = "GET /styles HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static final String STREAM = "GET /jobs/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";

    private TestService service;

    @BeforeEach
    void start() {
        service = TestService.on(DB).withoutWorker().start();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    private Socket connect() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), service.port());
    }

    /** @return the head of the answer, whose body is passed over */
    private static String get(Socket socket) throws IOException {
        var head = ask(socket, GET);
        socket.getInputStream()
                .skipNBytes(Long.parseLong(head.replaceFirst("(?is).*\r\ncontent-length: *([0-9]+)\r\n.*", "$1")));
        return head;
    }

    private static String ask(Socket socket, String request) throws IOException {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        var head = new StringBuilder();
        while (!head.toString().endsWith("\r\n\r\n")) {
            head.append((char) socket.getInputStream().read());
        }
        return head.toString();
    }

    @Test
    void a_connection_that_is_kept_is_answered_once_more_and_told_to_be_the_last() throws IOException {
        try (var kept = connect()) {
            assertThat(get(kept)).startsWith("HTTP/1.1 200").containsIgnoringCase("connection: keep-alive");
            service.drain();
            assertThat(get(kept)).startsWith("HTTP/1.1 200").containsIgnoringCase("connection: close");
            assertThat(kept.getInputStream().read()).as("the end").isEqualTo(-1);
        }
    }

    @Test
    void a_new_connection_is_answered_too() throws IOException {
        service.drain();
        try (var late = connect()) {
            assertThat(get(late)).startsWith("HTTP/1.1 200").containsIgnoringCase("connection: close");
        }
    }

    @Test
    void a_stream_is_the_last_of_its_connection() throws IOException {
        try (var stream = connect()) {
            assertThat(ask(stream, STREAM)).startsWith("HTTP/1.1 200").containsIgnoringCase("connection: close");
        }
    }
}
