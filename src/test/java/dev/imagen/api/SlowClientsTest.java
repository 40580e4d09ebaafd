package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.awaitility.Awaitility.await;

import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Clients that send or take so little that a server could wait for them without end; here it waits for a second. */
@Timeout(120)
class SlowClientsTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final String HEAD = "POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    private static final String GET = "GET /images HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /** Larger than what the buffers of both ends could hold. */
    private static final int LARGE = 32 * 1024 * 1024;

    private static TestService service;

    @BeforeAll
    static void start() {
        service = TestService.on(DB).withoutWorker().with("server.timeout", "PT1S").start();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    private static Socket connect() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), service.port());
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** What clients do at the same time: each of them alone would be waited for. */
    private static void atOnce(List<String> begun, Consumer<String> client) {
        try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
            begun.stream().map(text -> clients.submit(() -> client.accept(text))).toList()
                    .forEach(ended -> assertThatNoException().isThrownBy(ended::get));
        }
    }

    @Test
    void who_stops_within_a_request_is_cut_off() {
        atOnce(List.of("", "GET /jobs HT", HEAD, HEAD + "Content-Length: 100\r\n\r\n{",
                HEAD + "Transfer-Encoding: chunked\r\n\r\n5\r\n{"), begun -> {
                    try (var socket = connect()) {
                        send(socket, begun);
                        assertCutOff(socket);
                    } catch (IOException e) {
                        throw new UncheckedIOException(begun, e);
                    }
                });
    }

    /** Slowloris: each byte comes soon after the last, but the request has no end. */
    @Test
    void who_sends_byte_after_byte_is_cut_off() {
        atOnce(List.of("GET /jobs HTTP/1.1\r\nX-Slow: ", HEAD + "Content-Length: 100000\r\n\r\n",
                HEAD + "Transfer-Encoding: chunked\r\n\r\n"), begun -> {
                    try (var socket = connect()) {
                        send(socket, begun);
                        assertThatExceptionOfType(SocketException.class).as(begun).isThrownBy(() -> {
                            socket.setSoTimeout(50);
                            while (true) {
                                send(socket, "1");
                                waitForTheEnd(socket);
                            }
                        });
                    } catch (IOException e) {
                        throw new UncheckedIOException(begun, e);
                    }
                });
    }

    /** The read waits, and ends with the connection. */
    private static void waitForTheEnd(Socket socket) throws IOException {
        try {
            if (socket.getInputStream().read() == -1) {
                throw new SocketException("cut off");
            }
            throw new AssertionError("an answer to half a request");
        } catch (SocketTimeoutException e) {
            // Not cut off yet.
        }
    }

    @Test
    void the_length_of_a_chunk_that_does_not_end_fills_no_memory() throws IOException {
        try (var socket = connect()) {
            send(socket, HEAD + "Transfer-Encoding: chunked\r\n\r\n");
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> {
                for (int sent = 0; sent < LARGE; sent += 10_000) {
                    send(socket, "0".repeat(10_000));
                }
                assertCutOff(socket);
                throw new IOException("cut off at the end");
            }).withMessageNotContaining("at the end");
        }
    }

    private static void assertCutOff(Socket socket) throws IOException {
        socket.setSoTimeout(30_000);
        try {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    @Test
    void between_two_requests_a_client_may_wait_for_longer() throws IOException {
        try (var socket = connect()) {
            send(socket, GET);
            readHead(socket.getInputStream());
            socket.getInputStream().skipNBytes("{\"images\":[],\"next_cursor\":null}".length());
            socket.setSoTimeout(2000);
            assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> socket.getInputStream().read());
            send(socket, GET);
            assertThat(readHead(socket.getInputStream())).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void who_takes_nothing_of_a_large_image_is_cut_off_and_who_takes_it_gets_it_whole() throws Exception {
        var bytes = new byte[LARGE];
        new Random(1).nextBytes(bytes);
        var content = "/images/" + image(bytes) + "/content";
        assertThat(service.client().get(content).bytes()).isEqualTo(bytes);
        try (var socket = connect()) {
            send(socket, "GET " + content + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertThat(readHead(socket.getInputStream())).contains("Content-Length: " + LARGE);
            // Reading would go on with the answer; writing shows that nobody is there.
            await().pollInterval(Duration.ofMillis(100)).atMost(Duration.ofSeconds(60)).until(() -> refuses(socket));
            assertThat(readAll(socket.getInputStream())).isLessThan(LARGE);
        }
    }

    private static boolean refuses(Socket socket) {
        try {
            send(socket, "1");
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static UUID image(byte[] bytes) throws Exception {
        var path = Path.of("somebody", "2026", "01", "1.png");
        Files.createDirectories(service.images().resolve(path).getParent());
        Files.write(service.images().resolve(path), bytes);
        return (UUID) DB.row("""
                insert into imagen.images (owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256,
                                           backend, model, prompt)
                values (?, 'file', 'somebody/2026/01/1.png', 'image/png', 16, 16, 4, '\\x00', 'mock', 'm', 'a')
                returning id""", service.owner()).get("id");
    }

    @Test
    void a_stream_that_nobody_reads_ends() throws Exception {
        var prompt = "x".repeat(32_000);
        try (var socket = connect()) {
            send(socket, "GET /jobs/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
            readHead(socket.getInputStream());
            await().until(() -> service.parts().events().watching() == 1);
            DB.execute("insert into imagen.jobs (owner_user_id, prompt) select '" + service.owner() + "', '" + prompt
                    + "' from generate_series(1, 1000)");
            await().atMost(Duration.ofSeconds(60)).until(() -> service.parts().events().watching() == 0);
        } finally {
            DB.clear();
        }
    }

    @Test
    void beyond_the_limit_a_connection_waits_until_another_one_is_closed() throws Exception {
        try (var small = TestService.on(DB).withoutWorker().with("server.connections", "1").start();
                var second = new Socket()) {
            var first = new Socket(InetAddress.getLoopbackAddress(), small.port());
            send(first, GET);
            readHead(first.getInputStream());
            second.connect(first.getRemoteSocketAddress());
            send(second, GET);
            second.setSoTimeout(500);
            assertThatExceptionOfType(SocketTimeoutException.class).isThrownBy(() -> second.getInputStream().read());
            first.close();
            second.setSoTimeout(30_000);
            assertThat(readHead(second.getInputStream())).startsWith("HTTP/1.1 200 ");
        }
    }

    /** Up to the empty line. */
    private static String readHead(InputStream in) throws IOException {
        var head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) in.read());
        }
        return head.toString();
    }

    private static long readAll(InputStream in) throws IOException {
        long count = 0;
        var buffer = new byte[64 * 1024];
        try {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                count += read;
            }
        } catch (SocketException e) {
            // Reset instead of closed.
        }
        return count;
    }
}
