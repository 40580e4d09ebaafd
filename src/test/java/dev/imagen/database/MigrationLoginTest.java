package dev.imagen.database;

import static dev.imagen.database.MigrationsTest.atOnce;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.config.SettingsLoader;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestServer;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** The migrations on a server of their own that lacks the roles, by logins that are no superusers. */
@Tag("postgres")
class MigrationLoginTest {

    private static final Pattern ADVICE = Pattern.compile("Ask an administrator to run: ([^\\n]+;)");
    private static final List<String> ROLES = List.of("anon", "authenticated", "service_role", "creator", "plain",
            "service", "other_service", "imagen_owner", "imagen_service");

    private static final Duration LONGEST = Duration.ofMinutes(1);

    private static EmbeddedPostgres server;

    @BeforeAll
    static void start() {
        server = TestServer.another(Map.of("max_connections", "50"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @BeforeEach
    void create() throws SQLException {
        superuser("postgres", "create role creator login createrole", "create role plain login",
                "create role service login", "create role other_service login");
    }

    /** Roles belong to the server: the next test finds none again. */
    @AfterEach
    void forget() throws SQLException {
        superuser("postgres", "drop database if exists first with (force)",
                "drop database if exists second with (force)");
        for (String role : ROLES) {
            superuser("postgres", "drop role if exists " + role);
        }
    }

    @Test
    void a_login_that_may_create_roles_makes_them_and_lets_the_service_work() throws SQLException {
        database("first", "creator");
        var settings = settings("first", "creator", "service");
        new Migrations(settings).run();
        assertThat(new Migrations(settings).run()).isZero();
        assertServiceWorks(settings);
    }

    /** From PostgreSQL 16 on, which can tell the two apart. */
    @Test
    void memberships_let_a_login_become_a_role_and_give_it_no_right_before_but_the_services_own() throws SQLException {
        assumeTrue(!TestServer.version().equals("15"), "every membership is inherited there");
        database("first", "creator");
        new Migrations(settings("first", "creator", "service")).run();
        assertThat(memberships()).containsExactlyInAnyOrder("anon to creator, inherited f",
                "authenticated to creator, inherited f", "service_role to creator, inherited f",
                "authenticated to service, inherited f", "service_role to service, inherited t");
    }

    /** Those with which a login may become the role. */
    private static List<String> memberships() throws SQLException {
        try (Connection connection = open("postgres");
                var statement = connection.createStatement();
                var result = statement.executeQuery("""
                        select roleid::regrole || ' to ' || member::regrole || ', inherited '
                               || case when inherit_option then 't' else 'f' end as membership
                          from pg_auth_members
                         where set_option and member in ('creator'::regrole, 'service'::regrole)""")) {
            return TestDatabase.rows(result).stream().map(row -> (String) row.get("membership")).toList();
        }
    }

    private static void assertServiceWorks(DatabaseSettings settings) {
        try (var database = new Database(settings)) {
            var owner = UUID.randomUUID();
            assertThat(database.update("insert into imagen.jobs (owner_user_id, prompt) values (?::uuid, 'x')", owner))
                    .isOne();
            assertThat(rolesThatReadJobs(database, owner)).containsExactly("authenticated");
            assertThat(rolesThatReadJobs(database, UUID.randomUUID())).isEmpty();
        }
    }

    private static List<String> rolesThatReadJobs(Database database, UUID owner) {
        return database.as(Caller.owner(owner), session -> session
                .query("select current_user::text as role from imagen.jobs", row -> row.text("role")));
    }

    @Test
    void a_login_that_owns_and_serves_needs_no_other() throws SQLException {
        database("first", "creator");
        var settings = settings("first", "creator", "creator");
        new Migrations(settings).run();
        assertServiceWorks(settings);
    }

    @Test
    void a_login_that_may_not_create_roles_says_what_an_administrator_has_to_run() throws SQLException {
        database("first", "plain");
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(() -> new Migrations(settings("first", "plain", "service")).run())
                .withMessageContaining("the login plain may not create role \"anon\"")
                .withMessageContaining("create role anon nologin noinherit; grant anon to plain;");
    }

    @Test
    void a_service_that_cannot_log_in_is_named_and_not_the_owner() throws SQLException {
        database("first", "creator");
        superuser("postgres", "alter role service nologin");
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(() -> new Migrations(settings("first", "creator", "service")).run())
                .withMessageContaining("cannot log in as service@").withMessageNotContaining("creator");
    }

    @Test
    void an_administrator_who_runs_what_the_messages_say_gets_a_migrated_database() throws SQLException {
        database("first", "plain");
        var settings = settings("first", "plain", "service");
        for (int messages = 0; messages < 10; messages++) {
            var refused = catchThrowableOfType(MigrationException.class, () -> new Migrations(settings).run());
            if (refused == null) {
                assertServiceWorks(settings);
                return;
            }
            superuser("first", advice(refused));
        }
        throw new AssertionError("ten messages were not enough");
    }

    private static String advice(MigrationException refused) {
        var advice = ADVICE.matcher(refused.getMessage());
        assertThat(advice.find()).as(refused.getMessage()).isTrue();
        return advice.group(1);
    }

    @Test
    void the_logins_that_the_cluster_of_kubernetes_begins_with_are_all_that_is_needed() throws Exception {
        assumeTrue(!TestServer.version().equals("15"), "its server is newer");
        JsonNode begin;
        try (var manifest = Files.newBufferedReader(Path.of("k8s/overlays/database/cluster.yaml"))) {
            begin = new ObjectMapper().valueToTree(new Yaml().<Object>load(manifest)).at("/spec/bootstrap/initdb");
        }
        // In the operator's order: the owner's login, this SQL, and then the database.
        superuser("postgres", "create role " + begin.path("owner").asText() + " login");
        for (JsonNode sql : begin.path("postInitSQL")) {
            superuser("postgres", sql.asText());
        }
        database("first", begin.path("owner").asText());
        var settings = settings("first", begin.path("owner").asText(), "imagen_service");
        new Migrations(settings).run();
        assertServiceWorks(settings);
    }

    @Test
    void two_databases_of_a_server_without_the_roles_can_be_migrated_at_once() throws Exception {
        database("first", "creator");
        database("second", "creator");
        assertThat(atOnce(
                List.of(settings("first", "creator", "service"), settings("second", "creator", "other_service"))))
                .containsExactly(MigrationsTest.ALL, MigrationsTest.ALL);
    }

    @Test
    void a_role_that_another_database_creates_at_the_same_moment_is_taken_as_it_is() throws Exception {
        assertSurvives("create role anon nologin noinherit", "create role authenticated nologin noinherit",
                "create role service_role nologin noinherit");
    }

    @Test
    void a_membership_that_another_database_grants_at_the_same_moment_is_taken_as_it_is() throws Exception {
        superuser("postgres", "create role anon", "create role authenticated", "create role service_role");
        assertSurvives("grant service_role to service");
    }

    /**
     * The rival's transaction is open when the migration wants to do the same, and commits while the migration waits
     * for it.
     */
    private static void assertSurvives(String... rival) throws Exception {
        database("first", "postgres");
        try (Connection connection = open("postgres");
                var statement = connection.createStatement();
                var executor = Executors.newVirtualThreadPerTaskExecutor()) {
            connection.setAutoCommit(false);
            for (String sql : rival) {
                statement.execute(sql);
            }
            var migration = executor.submit(() -> new Migrations(settings("first", "postgres", "service")).run());
            await().atMost(LONGEST).until(() -> migration.isDone() || waits("first"));
            connection.commit();
            assertThat(migration.get()).isEqualTo(MigrationsTest.ALL);
        }
        assertServiceWorks(settings("first", "postgres", "service"));
    }

    private static boolean waits(String database) throws SQLException {
        try (Connection connection = open("postgres");
                var statement = connection.prepareStatement(
                        "select from pg_stat_activity where datname = ? and wait_event_type = 'Lock'")) {
            statement.setString(1, database);
            return statement.executeQuery().next();
        }
    }

    private static void database(String name, String owner) throws SQLException {
        superuser("postgres", "create database " + name + " owner " + owner);
    }

    private static DatabaseSettings settings(String database, String owner, String service) {
        return SettingsLoader.load(Map.of("imagen.home", "target/no-home")).database()
                .at(new Login(url(database), service, ""), new Login(url(database), owner, ""));
    }

    private static void superuser(String database, String... statements) throws SQLException {
        try (Connection connection = open(database); var statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static Connection open(String database) throws SQLException {
        return DriverManager.getConnection(url(database), "postgres", "");
    }

    private static String url(String database) {
        return "jdbc:postgresql://127.0.0.1:" + server.getPort() + "/" + database;
    }
}
