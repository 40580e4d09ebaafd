package dev.imagen;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** {@code docs/security.md} names the tests that hold its promises: they must be there. */
class SecurityDocTest {

    private static final Path DOCUMENT = Path.of("docs/security.md");
    private static final Path TESTS = Path.of("src/test/java");

    /** A class, and one of its tests or nothing. */
    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*(?:Test|IT|Contract))(?:#(\\w+))?`");

    @Test
    void every_test_that_a_promise_names_is_there() throws IOException {
        var sources = sources();
        assertThat(named()).isNotEmpty().allSatisfy(test -> {
            assertThat(sources).containsKey(test.group(1));
            if (test.group(2) != null) {
                assertThat(sources.get(test.group(1))).contains("void " + test.group(2) + "(");
            }
        });
    }

    @Test
    void every_promise_names_a_test() throws IOException {
        var promised = Files.readString(DOCUMENT).replaceFirst("(?s).*\n## What is promised", "")
                .replaceFirst("(?s)\n## .*", "");
        var rows = promised.lines().filter(line -> line.startsWith("| "))
                .filter(line -> !line.startsWith("| promise |")).toList();
        assertThat(rows).hasSizeGreaterThan(30).allSatisfy(row -> assertThat(row).containsPattern(NAMED));
    }

    private static List<MatchResult> named() throws IOException {
        return NAMED.matcher(Files.readString(DOCUMENT)).results().toList();
    }

    /** By the names of their classes. */
    private static Map<String, String> sources() throws IOException {
        try (var files = Files.walk(TESTS)) {
            return files.filter(file -> file.toString().endsWith(".java")).collect(toMap(
                    file -> file.getFileName().toString().replace(".java", ""), SecurityDocTest::text, (a, _) -> a));
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(file.toString(), e);
        }
    }
}
