package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the changelog promises those who upgrade. */
class ChangelogTest {

    private static final Pattern RELEASE = Pattern.compile("\\[\\d+\\.\\d+\\.\\d+] - \\d{4}-\\d{2}-\\d{2}");
    private static final Pattern VERSION = Pattern.compile("<artifactId>imagen</artifactId>\\s*<version>([^<]+)<");
    private static final Pattern PART = Pattern.compile("(?m)^### (.*)$");

    private static final Map<String, String> RELEASES = new LinkedHashMap<>();
    private static String version;

    @BeforeAll
    static void read() throws IOException {
        var text = Files.readString(Path.of("CHANGELOG.md"));
        for (String release : text.split("(?m)^## ", -1)) {
            var end = release.indexOf('\n');
            RELEASES.put(release.substring(0, end).strip(), release.substring(end));
        }
        // What stands before the first of them.
        RELEASES.remove(RELEASES.keySet().iterator().next());
        var found = VERSION.matcher(Files.readString(Path.of("pom.xml")));
        assertThat(found.find()).isTrue();
        version = found.group(1);
    }

    @Test
    void what_is_not_released_comes_first_and_each_release_has_its_version_and_date() {
        assertThat(RELEASES.keySet()).first().isEqualTo("[Unreleased]");
        assertThat(RELEASES.keySet().stream().skip(1)).allMatch(name -> RELEASE.matcher(name).matches());
    }

    @Test
    void the_version_of_the_sources_is_released_exactly_when_it_is_no_snapshot() {
        var released = version.replace("-SNAPSHOT", "");
        assertThat(RELEASES.keySet().stream().anyMatch(name -> name.startsWith("[" + released + "]")))
                .isEqualTo(!version.endsWith("-SNAPSHOT"));
    }

    @Test
    void whatever_breaks_has_a_note_on_how_to_upgrade() {
        assertThat(RELEASES).allSatisfy((name, text) -> {
            var parts = PART.matcher(text).results().map(part -> part.group(1)).toList();
            assertThat(parts).as(name).isSubsetOf("Upgrade", "Breaking", "Added", "Changed", "Deprecated", "Removed",
                    "Fixed", "Security");
            if (parts.contains("Breaking") || parts.contains("Removed")) {
                assertThat(parts).as(name).containsAll(List.of("Breaking", "Upgrade"));
            }
        });
    }
}
