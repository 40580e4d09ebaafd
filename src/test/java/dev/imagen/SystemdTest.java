package dev.imagen;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.SettingsLoader;
import dev.imagen.testing.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docs/systemd}: what it names is there, and it is what systemd takes. */
class SystemdTest {

    private static final Path UNIT = Path.of("docs/systemd/imagen.service");
    private static final Path ENVIRONMENT = Path.of("docs/systemd/imagen.env");
    private static final Path DEFAULTS = Path.of("src/main/resources/application.yaml");

    @TempDir
    private Path folder;

    @Test
    void every_setting_of_the_example_exists() throws IOException {
        var known = Files.readString(DEFAULTS);
        assertThat(names()).isNotEmpty()
                .allSatisfy(name -> assertThat(known).containsPattern("(?m)^ *#.*\\b" + name + "$"));
    }

    @Test
    void the_settings_of_the_example_are_taken() throws IOException {
        var password = Files.writeString(folder.resolve("database"), "secret");
        var settings = SettingsLoader.load(values(password));
        assertThat(settings.jsonLogs()).isTrue();
        assertThat(settings.database().connection().orElseThrow().password()).isEqualTo("secret");
    }

    @Test
    void the_unit_waits_longer_than_the_grace_and_the_last_steps() throws IOException {
        var grace = SettingsLoader.load(values(Files.writeString(folder.resolve("database"), "secret"))).worker()
                .grace();
        var unit = Pattern.compile("(?m)^TimeoutStopSec=([0-9]+)min$").matcher(Files.readString(UNIT));
        assertThat(unit.find()).isTrue();
        assertThat(Duration.ofMinutes(Long.parseLong(unit.group(1))))
                .isGreaterThan(grace.plus(ServeCommand.LAST_STEPS));
    }

    @Test
    void systemd_takes_the_unit() throws Exception {
        var analyze = Tools.systemdAnalyze();
        // Its program is looked for: that of this test is surely there.
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var unit = Files.writeString(folder.resolve("imagen.service"),
                Files.readString(UNIT).replace("/usr/bin/java", java));
        var process = new ProcessBuilder(analyze.toString(), "verify", "--man=no", unit.toString())
                .redirectErrorStream(true).start();
        var said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said.lines().filter(line -> line.contains("imagen.service"))).isEmpty();
    }

    private static List<String> names() throws IOException {
        return Pattern.compile("(?m)^#?([A-Z0-9_]+)=").matcher(Files.readString(ENVIRONMENT)).results()
                .map(found -> found.group(1)).toList();
    }

    /** By key, as the environment's are read; those that are commented out are left out. */
    private static Map<String, String> values(Path password) throws IOException {
        return Pattern.compile("(?m)^([A-Z0-9_]+)=(.*)$").matcher(Files.readString(ENVIRONMENT)).results()
                .collect(toMap(SystemdTest::key, found -> found.group(2)
                        .replace("/run/credentials/imagen.service/database", password.toString())));
    }

    private static String key(MatchResult found) {
        return found.group(1).toLowerCase(Locale.ROOT).replace('_', '.');
    }
}
