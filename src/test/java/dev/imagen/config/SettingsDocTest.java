package dev.imagen.config;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/**
 * {@code application.yaml} and the table in {@code docs/setup.md} say the same. Styles are a user's to name, and are no
 * rows of the table.
 */
class SettingsDocTest {

    private static final Path DEFAULTS = Path.of("src/main/resources/application.yaml");
    private static final Path SETUP = Path.of("docs/setup.md");

    /** {@code | `key` | `ENVIRONMENT` | `default` | limits | meaning |}, a default that is not set being empty. */
    private static final Pattern ROW = Pattern
            .compile("\\| `([a-z0-9.]+)` \\| `([A-Z0-9_]+)` \\| (?:`(.*?)` )?\\| (?:.* )?\\| \\S.* \\|");

    private record Row(String key, String environment, String value) {}

    @Test
    void the_table_has_every_key_with_its_default_and_no_other() throws IOException {
        assertThat(rows().stream().collect(toMap(Row::key, Row::value))).isEqualTo(defaults());
    }

    @Test
    void the_table_names_the_environment_variable_of_each_key() throws IOException {
        assertThat(rows()).allSatisfy(row -> assertThat(row.environment()).isEqualTo(environment(row.key())));
    }

    @Test
    void the_table_is_in_the_order_that_a_reader_finds_it_by() throws IOException {
        assertThat(rows()).extracting(row -> row.key().replaceFirst("\\..*", ""))
                .isSortedAccordingTo((a, b) -> sections().indexOf(a) - sections().indexOf(b));
    }

    @Test
    void a_comment_that_names_the_environment_variable_stands_before_each_key() throws IOException {
        assertThat(keysWithCommentBefore()).containsOnlyKeys(defaults().keySet()).allSatisfy((key,
                comment) -> assertThat(comment).startsWith("#").containsPattern("(^| )" + environment(key) + "$"));
    }

    private static List<Row> rows() throws IOException {
        try (var lines = Files.lines(SETUP)) {
            return lines.map(ROW::matcher).filter(row -> row.matches())
                    .map(row -> new Row(row.group(1), row.group(2), row.group(3) == null ? "" : row.group(3))).toList();
        }
    }

    private static String environment(String key) {
        return key.toUpperCase(Locale.ROOT).replace('.', '_');
    }

    private static List<String> sections() {
        return List.copyOf(yaml().keySet());
    }

    private static Map<String, Object> yaml() {
        try (var reader = Files.newBufferedReader(DEFAULTS)) {
            return new Yaml().load(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Every leaf of the file by its dotted key. */
    private static Map<String, String> defaults() {
        var leaves = new TreeMap<String, String>();
        collect("", yaml(), leaves);
        leaves.keySet().removeIf(key -> key.startsWith("styles."));
        return leaves;
    }

    private static void collect(String prefix, Map<?, ?> map, Map<String, String> leaves) {
        map.forEach((name, value) -> {
            if (value instanceof Map<?, ?> below) {
                collect(prefix + name + ".", below, leaves);
            } else {
                leaves.put(prefix + name, String.valueOf(value));
            }
        });
    }

    /** Each leaf's line number is found by its indentation: the file has two spaces a level. */
    private static Map<String, String> keysWithCommentBefore() throws IOException {
        var comments = new TreeMap<String, String>();
        var path = new ArrayDeque<String>();
        var before = "";
        for (String line : Files.readAllLines(DEFAULTS)) {
            var entry = Pattern.compile("( *)([a-z0-9]+):( .+)?").matcher(line);
            if (entry.matches()) {
                while (path.size() > entry.group(1).length() / 2) {
                    path.removeLast();
                }
                path.addLast(entry.group(2));
                if (entry.group(3) != null && !path.getFirst().equals("styles")) {
                    comments.put(String.join(".", path), before.strip());
                }
            }
            before = line;
        }
        return comments;
    }
}
