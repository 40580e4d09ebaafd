package dev.imagen.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.testing.TestDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.ResourceLock;

/** What KEDA asks the database, by the login that it gets. */
@Tag("postgres")
@ResourceLock("role imagen_scaler")
class ScalerQueryTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Pattern QUERY = Pattern.compile("query: \"(.*)\"");

    @BeforeAll
    static void login() throws Exception {
        // As docs/setup.md makes a database.
        DB.execute("revoke connect on database " + name() + " from public",
                "grant connect on database " + name() + " to " + DB.settings().service().username(),
                Files.readString(Path.of("k8s/scaler.sql")), "alter role imagen_scaler password 'secret'");
        insert(3, "'pending', now()");
        insert(2, "'pending', now() + interval '1 day'");
        insert(4, "'running', now()");
        insert(5, "'done', now()");
    }

    @AfterAll
    static void forget() throws Exception {
        DB.execute("drop owned by imagen_scaler", "drop role imagen_scaler");
    }

    @Test
    void the_scaler_counts_what_the_gauges_tell() throws Exception {
        var depth = QueueDepth.read(DB.database());
        var queries = QUERY.matcher(Files.readString(Path.of("k8s/overlays/production/scaling.yaml"))).results()
                .map(found -> found.group(1)).toList();
        assertThat(queries).hasSize(2);
        assertThat(List.of(asScaler(queries.get(0)), asScaler(queries.get(1)))).containsExactly(depth.pending(),
                depth.running());
    }

    @Test
    void the_scaler_sees_neither_prompts_nor_finished_jobs() throws Exception {
        assertThat(asScaler("select count(status) from imagen.jobs")).isEqualTo(9);
        assertThatThrownBy(() -> asScaler("select count(prompt) from imagen.jobs")).isInstanceOf(SQLException.class)
                .hasMessageContaining("permission denied");
    }

    private static String name() {
        var url = DB.settings().service().url();
        return url.substring(url.lastIndexOf('/') + 1);
    }

    private static long asScaler(String query) throws SQLException {
        try (var connection = DriverManager.getConnection(DB.settings().service().url(), "imagen_scaler", "secret");
                var statement = connection.createStatement();
                var result = statement.executeQuery(query)) {
            result.next();
            return result.getLong(1);
        }
    }

    private static void insert(int count, String statusAndRunAt) throws SQLException {
        DB.execute("insert into imagen.jobs (owner_user_id, prompt, status, run_at) select"
                + " gen_random_uuid(), 'a test', " + statusAndRunAt + " from generate_series(1, " + count + ")");
    }
}
