package dev.imagen.chaos;

import static org.awaitility.Awaitility.await;

import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Login;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Migrations;
import dev.imagen.testing.RestartableServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;

/**
 * Where one scenario plays: a PostgreSQL of its own, a crew of processes, and the ledger, which is checked when the
 * scenario is over, whatever the scenario itself has looked at. {@code @RegisterExtension final Stage stage = new
 * Stage();}.
 */
final class Stage implements BeforeEachCallback, AfterEachCallback {

    /** The least that is allowed. */
    static final Duration LEASE = Duration.ofSeconds(3);

    /** For scenarios in which no lease is to run out, on however busy a machine. */
    static final Map<String, String> LONG_LEASE = Map.of("WORKER_LEASE", "PT15S");

    /** Most processes here live for seconds: half of what a start costs would be for code that is never hot. */
    private static final String SHORT_LIVED = "-XX:TieredStopAtLevel=1";

    private static final String SERVICE = "service_login";
    private static final String OWNER = "postgres";
    private static final Duration LONGEST = Duration.ofMinutes(2);
    private static final Duration LOOK = Duration.ofMillis(20);

    private String scenario;
    private Path folder;
    private RestartableServer server;
    private Sql sql;
    private Crew crew;
    private Ledger ledger;
    private boolean strayFiles;

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        scenario = context.getRequiredTestClass().getSimpleName() + "." + context.getRequiredTestMethod().getName();
        folder = Path.of("target", "chaos", scenario).toAbsolutePath();
        delete(folder);
        Files.createDirectories(folder);
        server = RestartableServer.running(folder.resolve("data"));
        sql = new Sql(server.login(OWNER));
        sql.execute("create role " + SERVICE + " login");
        crew = new Crew(folder, Map.of("WORKER_LEASE", LEASE.toString(), "DB_MIGRATION_ENABLED", "false", "MOCK_DELAY",
                "PT0.3S", "JDK_JAVA_OPTIONS", SHORT_LIVED));
    }

    /** Makes the schema, and begins to keep the ledger. */
    Stage migrate() throws SQLException {
        new Migrations(settings()).run();
        return keepLedger();
    }

    /** The service's own, for this server. */
    DatabaseSettings settings() {
        return SettingsLoader.load(Map.of("imagen.home", folder.toString())).database().at(login(),
                server.login(OWNER));
    }

    /** Begins to keep the ledger, where somebody else has made the schema. */
    Stage keepLedger() throws SQLException {
        ledger = Ledger.install(sql, new ImageFiles(folder.resolve("images")), LEASE);
        return this;
    }

    /** Starts processes, and waits until they are ready. */
    void hire(int processes, Map<String, String> settings) throws IOException, InterruptedException {
        for (int i = 0; i < processes; i++) {
            hire(settings);
        }
        crew.awaitReady();
    }

    /** Starts a process, and does not wait for it. */
    Crew.Member hire(Map<String, String> settings) throws IOException {
        return crew.hire(login(), settings);
    }

    /** The service's way in, which owns nothing. */
    Login login() {
        return server.login(SERVICE);
    }

    /** With these a process migrates at its start; and no lease is to run out. */
    Map<String, String> migrating() {
        return Map.of("DB_MIGRATION_ENABLED", "true", "DB_MIGRATION_URL", server.url(), "DB_MIGRATION_USERNAME", OWNER,
                "WORKER_LEASE", "PT15S");
    }

    /** Where its files are; the scenario may put some there. */
    Path folder() {
        return folder;
    }

    RestartableServer server() {
        return server;
    }

    Sql sql() {
        return sql;
    }

    Crew crew() {
        return crew;
    }

    Jobs jobs() {
        return new Jobs(sql);
    }

    ImageFiles files() {
        return new ImageFiles(folder.resolve("images"));
    }

    /** Waits for what must come to be true. A database that is away has not answered yet. */
    void until(String what, Callable<Boolean> condition) {
        first(what, () -> condition.call() ? what : null);
    }

    /** The same for something that is null until then. */
    <T> T first(String what, Callable<T> something) {
        return await(what).atMost(LONGEST).pollDelay(Duration.ZERO).pollInterval(LOOK)
                .ignoreExceptionsInstanceOf(SQLException.class).until(something, Objects::nonNull);
    }

    /** Waits until jobs have been claimed so often once more: dice make it any moment of their lives. */
    void awaitClaims(int more) throws SQLException {
        long enough = jobs().claims() + more;
        until(more + " more claims", () -> jobs().claims() >= enough);
    }

    /** From now on a file without a row is nobody's fault: the store itself leaves some. */
    void allowStrayFiles() {
        strayFiles = true;
    }

    private boolean strayFiles() {
        return strayFiles || crew.killed();
    }

    /** Says what was measured. */
    void report(String measured) {
        System.out.println("chaos: " + scenario + ": " + measured);
    }

    /** There is no signal to wait for: that so much time has passed is what the scenario is about. */
    static void outlastLease() throws InterruptedException {
        Thread.sleep(LEASE.multipliedBy(2));
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        var failure = context.getExecutionException();
        boolean skipped = failure.filter(TestAbortedException.class::isInstance).isPresent();
        boolean passed = failure.isEmpty();
        try {
            if (passed) {
                passed = false;
                crew.stopAll();
                check();
                passed = true;
            }
        } finally {
            if (!passed && !skipped) {
                tellFailure();
            }
            crew.close();
            server.close();
        }
        if (passed || skipped) {
            delete(folder);
        }
    }

    private void check() throws SQLException, IOException {
        var violations = ledger.violations(strayFiles());
        report(ledger.summary());
        if (!violations.isEmpty()) {
            throw new AssertionError(String.join("\n", violations));
        }
    }

    private void tellFailure() {
        System.out.println("chaos: " + scenario + " failed; " + Form.repeat() + "; files in " + folder);
        System.out.println(crew.lastWords());
        if (ledger == null) {
            return;
        }
        try {
            ledger.violations(strayFiles()).forEach(System.out::println);
        } catch (SQLException | IOException e) {
            System.out.println("the ledger cannot be read: " + e);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (var files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
