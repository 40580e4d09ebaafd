package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.imagen.database.EmbeddedPostgres;
import dev.imagen.testing.S3Server;
import dev.imagen.testing.ServiceProcess;
import dev.imagen.testing.SupabaseStorageServer;
import dev.imagen.testing.TestClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes that keep their images in a remote store. */
class RemoteStoreIT {

    @TempDir
    private Path home;

    @Test
    void an_image_of_a_job_goes_to_supabase_storage_and_comes_from_there_and_leaves_it_with_its_row() throws Exception {
        try (var storage = SupabaseStorageServer.start(); var service = ServiceProcess.start(home, supabase(storage))) {
            keepAndServe(service);
            assertThat(storage.keys("images")).hasSize(1);
            remove();
            await().atMost(Duration.ofSeconds(60)).until(() -> storage.keys("images").isEmpty());
            assertThat(service.output()).doesNotContain("WARNING").doesNotContain("service-key-of-a-test");
        }
    }

    @Test
    void an_image_of_a_job_goes_to_s3_and_comes_from_there() throws Exception {
        var environment = Map.of("STORAGE_KIND", "s3", "STORAGE_S3_ENDPOINT",
                "http://127.0.0.1:" + S3Server.shared().port(), "STORAGE_S3_KEY", S3Server.KEY, "STORAGE_S3_SECRET",
                "file:" + secret(S3Server.SECRET));
        try (var service = ServiceProcess.start(home, environment)) {
            keepAndServe(service);
            assertThat(service.output()).doesNotContain("WARNING").doesNotContain(S3Server.SECRET);
        }
    }

    @Test
    void generate_says_where_its_image_is_and_writes_it_to_a_file_too() throws Exception {
        try (var storage = SupabaseStorageServer.start()) {
            var output = home.resolve("fox.png");
            var plain = ServiceProcess.start(home, supabase(storage), "generate", "a fox in snow");
            assertThat(plain.awaitExit()).as(plain.output()).isZero();
            assertThat(plain.output()).contains(storage.url() + "/storage/v1/object/authenticated/images/");
            var copied = ServiceProcess.start(home, supabase(storage), "generate", "a fox", "--output",
                    output.toString());
            assertThat(copied.awaitExit()).as(copied.output()).isZero();
            assertThat(Files.readAllBytes(output)).startsWith(0x89, 'P', 'N', 'G');
            assertThat(storage.keys("images")).hasSize(2);
        }
    }

    @Test
    void a_store_without_its_settings_ends_the_start_and_names_the_one_that_is_missing() throws Exception {
        var service = ServiceProcess.start(home, Map.of("STORAGE_KIND", "supabase"));
        assertThat(service.awaitExit()).isEqualTo(2);
        assertThat(service.output()).isEqualTo(
                "imagen: storage.supabase.url (STORAGE_SUPABASE_URL) must be set where" + " storage.kind is supabase");
    }

    private Map<String, String> supabase(SupabaseStorageServer storage) throws IOException {
        return Map.of("STORAGE_KIND", "supabase", "STORAGE_SUPABASE_URL", storage.url(), "STORAGE_SUPABASE_KEY",
                "file:" + secret(SupabaseStorageServer.SERVICE_KEY), "RETENTION_EVERY", "PT1S");
    }

    private Path secret(String value) throws IOException {
        return Files.writeString(home.resolve("secret"), value + "\n");
    }

    /** A job's image is what its link leads to, and nothing of it is on this machine's disk. */
    private void keepAndServe(ServiceProcess service) throws Exception {
        try (var client = service.client()) {
            var image = image(client);
            var answer = client.get(image.path("url").textValue());
            assertThat(answer.status()).isEqualTo(302);
            var fetched = fetch(answer.header("Location"));
            assertThat(fetched.statusCode()).isEqualTo(200);
            assertThat(fetched.headers().firstValue("Content-Type")).contains("image/png");
            assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(fetched.body())))
                    .isEqualTo(image.path("sha256").textValue());
        }
        assertThat(home.resolve("images")).doesNotExist();
    }

    private static JsonNode image(TestClient client) {
        var job = client.submitAndWait("{\"prompt\": \"a lighthouse at dawn\"}");
        assertThat(job.path("status").textValue()).as(job.toString()).isEqualTo("done");
        return client.get("/images/" + job.path("image_id").textValue()).json();
    }

    private static HttpResponse<byte[]> fetch(String url) throws Exception {
        try (var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            return http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofByteArray());
        }
    }

    /** As if all images had been deleted a while ago. */
    private void remove() throws SQLException {
        var login = EmbeddedPostgres.running(home).orElseThrow().service();
        try (var connection = DriverManager.getConnection(login.url(), login.username(), login.password());
                var statement = connection.createStatement()) {
            statement.execute("update imagen.images set deleted_at = now() - interval '6 minutes'");
        }
    }
}
