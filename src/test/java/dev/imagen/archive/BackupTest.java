package dev.imagen.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Migrations;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestServer;
import dev.imagen.testing.TestService;
import dev.imagen.testing.Tools;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** docs/backup.md, with pg_dump: it reads no server that is newer than itself. */
@Tag("postgres")
@ResourceLock("role imagen_scaler")
class BackupTest {

    @RegisterExtension
    static final TestDatabase FROM = new TestDatabase();

    private static final UUID OWNER = UUID.randomUUID();
    private static final Duration LONGEST = Duration.ofMinutes(1);

    @TempDir
    private Path folder;

    @Test
    void a_dump_restored_on_an_empty_server_has_every_row_and_its_unfinished_jobs_get_done() throws Exception {
        assumeTrue(major(run(Tools.postgres("pg_dump"), "--version")) >= Integer.parseInt(TestServer.version()),
                "pg_dump is older than the server");
        fill();
        var dump = folder.resolve("database.dump").toString();
        run(Tools.postgres("pg_dump"), "--format=custom", "--file=" + dump, url(FROM.settings().owner()));
        // It belongs to the server, which other tests share.
        FROM.execute("drop owned by imagen_scaler", "drop role imagen_scaler");

        try (var server = TestServer.another(Map.of())) {
            var settings = empty("jdbc:postgresql://127.0.0.1:" + server.getPort() + "/");
            run(Tools.postgres("pg_restore"), "--exit-on-error", "--single-transaction",
                    "--dbname=" + url(settings.owner()), dump);
            var to = TestDatabase.at(settings);
            try {
                assertThat(Contents.rows(to)).isEqualTo(Contents.rows(FROM));
                assertThat(new Migrations(settings).run()).isZero();
                assertUnfinishedGetDone(to);
            } finally {
                to.close();
            }
        }
    }

    private static void fill() throws Exception {
        FROM.execute(Files.readString(Path.of("k8s/scaler.sql")));
        try (var _ = TestService.on(FROM).owner(OWNER).start()) {
            var job = FROM.insertJob(OWNER);
            await().atMost(LONGEST).until(() -> FROM.job(job).get("status").equals("done"));
        }
        FROM.insertJob(OWNER);
        FROM.execute("insert into imagen.jobs (owner_user_id, prompt, status, attempt, worker_id, started_at) values ('"
                + OWNER + "', 'of a process that is gone', 'running', 1, gen_random_uuid(), now())");
    }

    private static DatabaseSettings empty(String server) throws IOException, SQLException {
        try (var connection = DriverManager.getConnection(server + "postgres", "postgres", "postgres");
                var statement = connection.createStatement()) {
            statement.execute("create role anon nologin noinherit; create role authenticated nologin noinherit;"
                    + " create role service_role nologin noinherit; create role imagen_service login password 'secret'");
            statement.execute(documented("create role imagen_scaler login"));
            statement.execute("create database images");
        }
        return SettingsLoader.load(Map.of("imagen.home", "target/no-home")).database().at(
                new Login(server + "images", "imagen_service", "secret"),
                new Login(server + "images", "postgres", "postgres"));
    }

    /** Part of how docs/backup.md restores. */
    private static String documented(String statement) throws IOException {
        assertThat(Files.readString(Path.of("docs/backup.md"))).contains("'" + statement + "'");
        return statement;
    }

    private static void assertUnfinishedGetDone(TestDatabase to) throws SQLException {
        try (var _ = TestService.on(to).owner(OWNER).start()) {
            await().atMost(LONGEST).until(() -> to.rows("select from imagen.jobs where status = 'done'").size() == 3);
        }
        assertThat(to.rows("select from imagen.job_attempts where outcome = 'rescued'")).hasSize(1);
    }

    private static String url(Login login) {
        var server = URI.create(login.url().substring("jdbc:".length()));
        return "postgresql://" + login.username() + ":" + login.password() + "@" + server.getHost() + ":"
                + server.getPort() + server.getPath();
    }

    private static int major(String version) {
        return Integer.parseInt(version.replaceFirst("(?s).*?(\\d+)\\..*", "$1"));
    }

    private static String run(Path program, String... arguments) throws Exception {
        var command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }
}
