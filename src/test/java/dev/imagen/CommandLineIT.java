package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.ServiceProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The command line as a real process. */
class CommandLineIT {

    private static final Pattern IMAGE = Pattern.compile("image [0-9a-f-]{36}: (\\S+) \\(64×48, seed 7\\)");

    private static final Pattern KEY = Pattern.compile("imagen_[A-Za-z0-9_-]{43}");
    private static final String OWNER = "50fa4317-7836-4543-8258-664cd5a9b455";

    @TempDir
    private Path home;

    @Test
    void generate_makes_an_image_on_a_bare_machine_and_migrate_finds_nothing_left_to_do() throws Exception {
        var output = home.resolve("fox.png");
        var generate = run("generate", "a fox in snow", "--style", "ink", "--width", "64", "--height", "48", "--steps",
                "3", "--seed", "7", "--output", output.toString());
        assertThat(generate.awaitExit()).as(generate.output()).isZero();
        assertThat(IMAGE.matcher(generate.output()).results().findFirst()).as(generate.output())
                .hasValueSatisfying(image -> assertThat(image.group(1)).isEqualTo(output.toString()));
        assertThat(Files.readAllBytes(output)).startsWith(0x89, 'P', 'N', 'G');

        var migrate = run("migrate");
        assertThat(migrate.awaitExit()).as(migrate.output()).isZero();
        assertThat(migrate.output()).isEqualTo("schema imagen is up to date");
    }

    @Test
    void generate_beside_a_running_serve_joins_its_server_and_its_image_is_in_the_gallery() throws Exception {
        try (var service = ServiceProcess.start(home, Map.of())) {
            service.awaitReady();
            var generate = run("generate", "a fox in snow", "--width", "64", "--height", "48", "--seed", "7");
            assertThat(generate.awaitExit()).as(generate.output()).isZero();
            var image = IMAGE.matcher(generate.output()).results().findFirst().orElseThrow().group(1);
            assertThat(Path.of(image)).exists().startsWith(home.resolve("images"));
            assertThat(service.send("GET", "/images", "").body()).contains("\"job_id\":null")
                    .contains("\"prompt\":\"a fox in snow\"");
            assertExportedBesideItAndNotImportedInto();
        }
    }

    private void assertExportedBesideItAndNotImportedInto() throws Exception {
        var file = home.resolve("all.zip").toString();
        var export = run("export", file);
        assertThat(export.awaitExit()).as(export.output()).isZero();
        assertThat(export.output()).matches(".*all.zip: \\d+ rows, 1 image files");
        var imported = run("import", file);
        assertThat(imported.awaitExit()).isEqualTo(2);
        assertThat(imported.output()).contains("has rows already: import into an empty database");
    }

    @Test
    void an_api_key_is_shown_once_opens_the_api_and_is_of_no_use_when_it_is_revoked() throws Exception {
        var created = run("keys", "create", "--owner", OWNER, "--name", "ci");
        assertThat(created.awaitExit()).as(created.output()).isZero();
        var key = KEY.matcher(created.output()).results().findFirst().orElseThrow().group();
        var listed = run("keys", "list");
        assertThat(listed.awaitExit()).as(listed.output()).isZero();
        assertThat(listed.output()).contains("owner " + OWNER + " ci").doesNotContain(key);

        try (var service = ServiceProcess.start(home, Map.of("AUTH_MODE", "keys"))) {
            assertThat(me(service, "Bearer " + key)).isEqualTo(
                    "{\"owner_user_id\":\"" + OWNER + "\",\"operator\":false,\"auth\":\"keys\",\"expires_at\":null}");
            assertThat(status(service, "Bearer " + key)).isEqualTo(200);
            assertThat(status(service, "Bearer " + key + "x")).isEqualTo(401);
            var revoked = run("keys", "revoke", listed.output().split(" ")[0]);
            assertThat(revoked.awaitExit()).as(revoked.output()).isZero();
            assertThat(status(service, "Bearer " + key)).isEqualTo(401);
            assertThat(service.output()).doesNotContain(key);
        }
        var unknown = run("keys", "revoke", OWNER);
        assertThat(unknown.awaitExit()).isEqualTo(1);
        assertThat(unknown.output()).contains("there is no key " + OWNER + "; see imagen keys list");
    }

    private static String me(ServiceProcess service, String authorization) throws Exception {
        try (var client = service.client()) {
            return client.get("/me", "Authorization", authorization).json().toString();
        }
    }

    private static int status(ServiceProcess service, String authorization) throws Exception {
        try (var client = service.client()) {
            return client.get("/jobs", "Authorization", authorization).status();
        }
    }

    static Stream<Arguments> misuses() {
        return Stream.of(misuse("Missing required parameter: 'PROMPT'", "generate"),
                misuse("Invalid value for option '--width'", "generate", "fox", "--width", "wide"),
                misuse("width must be from 16 to 2048 for backend mock", "generate", "fox", "--width", "7"),
                misuse("--seed must be 0 to 9007199254740991", "generate", "fox", "--seed=-1"),
                misuse("style \"nope\" is unknown: use one of anime", "generate", "fox", "--style", "nope"),
                misuse("backend \"dalle\" is unknown: use one of mock", "generate", "fox", "--backend", "dalle"),
                misuse("PROMPT must have 1 to 32000 characters and not be blank", "generate", " "),
                misuse("say what to do: create, list or revoke", "keys"),
                misuse("Error: Missing required argument (specify one of these)", "keys", "create"),
                misuse("Unknown option: '--fast'", "serve", "--fast"),
                misuse("Unmatched argument at index 0: 'sing'", "sing"));
    }

    private static Arguments misuse(String message, String... arguments) {
        return Arguments.of(message, arguments);
    }

    @ParameterizedTest
    @MethodSource("misuses")
    void misuse_exits_with_2_and_one_line_that_says_what_to_change(String message, String[] arguments)
            throws Exception {
        var process = run(arguments);
        assertThat(process.awaitExit()).as(process.output()).isEqualTo(2);
        assertThat(process.output().lines()).singleElement().asString().startsWith("imagen: ").contains(message);
    }

    @Test
    void help_and_version_say_what_they_should() throws Exception {
        var help = run("--help");
        assertThat(help.awaitExit()).isZero();
        assertThat(help.output()).contains("serve").contains("generate").contains("migrate");
        var version = run("--version");
        assertThat(version.awaitExit()).isZero();
        assertThat(version.output()).matches("imagen \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?");
    }

    private ServiceProcess run(String... arguments) throws Exception {
        return ServiceProcess.start(home, Map.of(), arguments);
    }
}
