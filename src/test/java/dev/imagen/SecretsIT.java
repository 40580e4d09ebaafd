package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.database.EmbeddedPostgres;
import dev.imagen.testing.ServiceProcess;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TokenIssuer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real process that knows secrets, and has reason to complain about most of them. */
class SecretsIT {

    private static final String JWT = "a-token-secret-of-more-than-32-bytes-zzz";
    private static final String STORE = "a-store-key-that-nobody-may-see";

    @TempDir
    private Path home;

    @Test
    void no_secret_is_in_logs_errors_answers_metrics_or_rows() throws Exception {
        var file = Files.writeString(home.resolve("jwt"), JWT + "\n");
        // Nothing listens there: each upload is a failure that is told of.
        try (var service = ServiceProcess.start(home,
                Map.of("AUTH_MODE", "jwt", "AUTH_JWT_SECRET", "file:" + file, "STORAGE_KIND", "supabase",
                        "STORAGE_SUPABASE_URL", "http://127.0.0.1:1", "STORAGE_SUPABASE_KEY", STORE, "WORKER_BACKOFF",
                        "PT0.001S"));
                var client = service.client()) {
            var token = TokenIssuer.hs256(TokenIssuer.claims(UUID.randomUUID()).build(),
                    JWT.getBytes(StandardCharsets.UTF_8));
            var job = client.submit("{\"prompt\": \"a bay\", \"max_attempts\": 1}", "Authorization", "Bearer " + token,
                    "Prefer", "wait=60");
            assertThat(job.json().path("status").asText()).isEqualTo("failed");
            assertThat(job.json().path("error").asText()).contains("the image store did not take the image");
            var said = new StringBuilder(job.json().toString());
            for (String path : new String[]{"/openapi", "/observe/metrics", "/observe/health", "/backends"}) {
                said.append(new String(client.get(path, "Authorization", "Bearer " + token).bytes(),
                        StandardCharsets.UTF_8));
            }
            said.append(client.get("/jobs", "Authorization", "Bearer " + token + "x").json());
            said.append(rows()).append(service.output());
            assertThat(said).doesNotContain(JWT).doesNotContain(STORE).doesNotContain(token);
        }
    }

    private String rows() throws SQLException {
        var login = EmbeddedPostgres.running(home).orElseThrow().owner();
        var rows = new StringBuilder();
        try (var connection = DriverManager.getConnection(login.url(), login.username(), login.password());
                var statement = connection.createStatement()) {
            for (String table : new String[]{"jobs", "job_attempts", "workers", "usage", "tickets", "api_keys"}) {
                rows.append(TestDatabase.rows(statement.executeQuery("select * from imagen." + table)));
            }
        }
        return rows.toString();
    }
}
