package dev.imagen;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.Login;
import dev.imagen.k8s.Monitoring;
import dev.imagen.testing.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code docs/operations.md}: it has every alert, and its SQL runs. */
@Tag("postgres")
class OperationsDocTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Path DOCUMENT = Path.of("docs/operations.md");
    private static final Pattern BLOCK = Pattern.compile("(?s)\n```sql( superuser)?\n(.*?)\n```\n");
    private static final Pattern IN_A_LINE = Pattern.compile("`(select \\* from imagen\\.[^`]+)`");
    private static final Pattern STATEMENT_ENDS = Pattern.compile(";(?= *(?:--.*)?(?:\n|$))");
    private static final String JOB = "00000000-0000-4000-8000-000000000002";

    /** Roles belong to the whole server. */
    @AfterAll
    static void forget() throws SQLException {
        if (!DB.rows("select from pg_roles where rolname = 'imagen_service_2'").isEmpty()) {
            DB.execute("drop owned by imagen_service_2", "drop role imagen_service_2");
        }
    }

    @Test
    void every_alert_has_its_section_and_every_section_its_alert() throws IOException {
        var sections = Pattern.compile("(?m)^### (Imagen\\w+)$").matcher(Files.readString(DOCUMENT)).results()
                .map(found -> found.group(1)).collect(toCollection(TreeSet::new));
        assertThat(sections).isEqualTo(Monitoring.alerts());
    }

    @Test
    void all_of_its_sql_runs_with_the_rights_that_it_names() throws Exception {
        DB.execute("insert into imagen.jobs (id, owner_user_id, prompt, status) values ('" + JOB
                + "', gen_random_uuid(), 'a test', 'failed')");
        var document = Files.readString(DOCUMENT);
        var inLines = IN_A_LINE.matcher(document).results().toList();
        assertThat(inLines).isNotEmpty().allSatisfy(found -> run(DB.settings().service(), found.group(1)));
        var blocks = BLOCK.matcher(document).results().toList();
        assertThat(blocks).hasSizeGreaterThan(10).allSatisfy(
                block -> run(block.group(1) == null ? DB.settings().service() : DB.settings().owner(), block.group(2)));
    }

    /** Each by itself, as psql sends them. */
    private static void run(Login login, String block) throws SQLException {
        try (var connection = DriverManager.getConnection(login.url(), login.username(), login.password());
                var statement = connection.createStatement()) {
            for (String sql : List.of(STATEMENT_ENDS.split(block))) {
                statement.execute(sql.replace("…", JOB));
            }
        }
    }
}
