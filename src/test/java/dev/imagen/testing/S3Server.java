package dev.imagen.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** S3Proxy in a process of its own, which keeps its buckets in memory: a server that others wrote. */
public final class S3Server {

    /** The id of the only access key. */
    public static final String KEY = "s3-key-of-a-test";
    /** Its secret. */
    public static final String SECRET = "s3-secret-of-a-test";

    private static S3Server shared;

    private final int port;

    private S3Server(int port) {
        this.port = port;
    }

    /** One for all tests of this JVM, started by the first that asks; tests take buckets of their own. */
    public static synchronized S3Server shared() {
        if (shared == null) {
            shared = start();
        }
        return shared;
    }

    private static S3Server start() {
        try {
            int port = freePort();
            var folder = Files.createDirectories(Path.of("target", "s3proxy"));
            var settings = Files.writeString(folder.resolve("s3proxy-" + port + ".conf"), """
                    s3proxy.endpoint=http://127.0.0.1:%d
                    s3proxy.authorization=aws-v2-or-v4
                    s3proxy.identity=%s
                    s3proxy.credential=%s
                    jclouds.provider=transient-nio2
                    """.formatted(port, KEY, SECRET));
            var process = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:+UseSerialGC", "-Xmx256m", "-DLOG_LEVEL=warn", "-jar",
                    System.getProperty("imagen.test.s3proxy"), "--properties", settings.toString()))
                    .redirectErrorStream(true).redirectOutput(folder.resolve("s3proxy-" + port + ".log").toFile())
                    .start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
            Awaitility.await().atMost(Duration.ofSeconds(60)).pollInterval(50, TimeUnit.MILLISECONDS)
                    .until(() -> answers(process, port));
            return new S3Server(port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static boolean answers(Process process, int port) {
        if (!process.isAlive()) {
            throw new AssertionError("S3Proxy ended with " + process.exitValue() + ", see target/s3proxy");
        }
        try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Where it listens. */
    public int port() {
        return port;
    }
}
