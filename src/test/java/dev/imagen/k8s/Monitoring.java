package dev.imagen.k8s;

import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toSet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.yaml.snakeyaml.Yaml;

/** What {@code k8s/monitoring} asks of Prometheus, and shows. */
public final class Monitoring {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FOLDER = Path.of("k8s/monitoring");
    private static final Pattern METRIC = Pattern.compile("\\bimagen_[a-z_]+");
    private static final Pattern SELECTOR = Pattern.compile("\\b(imagen_[a-z_]+)\\{([^}]*)}");
    /** Of a selector's matcher, of {@code by}, and of a text. */
    private static final Pattern MATCHER = Pattern.compile("([a-z_]+)(?:=~|!~|!=|=)\"");
    private static final Pattern VALUE = Pattern.compile("imagen_[a-z_]+\\{[a-z_]+=\"[^\"]*\"");
    private static final Pattern BY = Pattern.compile("\\bby \\(([a-z_, ]+)\\)");
    private static final Pattern AGGREGATED = Pattern.compile("\\b(sum|max|min|absent)\\b");
    private static final Pattern SHOWN = Pattern.compile("\\{\\{ *(?:\\$labels\\.)?([a-z_]+) *}}");
    /** Prometheus adds them by the target that it asked. */
    private static final Set<String> OF_TARGETS = Set.of("pod", "namespace", "container", "instance", "job");

    private Monitoring() {}

    /**
     * A query.
     *
     * @param title of the alert or the panel
     * @param text shown with its result
     */
    public record Query(String title, String expression, String text) {

        /** What it uses of metrics, their labels and the values of those, and what is not among the ones exposed. */
        public List<String> missing(String exposed) {
            var metrics = METRIC.matcher(expression).results().map(found -> found.group()).distinct().toList();
            var names = metrics.stream().filter(metric -> labels(metric, exposed).isEmpty());
            var selected = SELECTOR.matcher(expression).results()
                    .flatMap(found -> MATCHER.matcher(found.group(2)).results().map(matcher -> matcher.group(1))
                            .filter(label -> !known(label, labels(found.group(1), exposed)))
                            .map(label -> found.group(1) + "{" + label + "}"));
            var all = metrics.stream().flatMap(metric -> labels(metric, exposed).stream()).collect(toSet());
            var kept = Stream.concat(by(), shown()).filter(label -> !known(label, all));
            var values = VALUE.matcher(expression).results().map(found -> found.group())
                    .filter(value -> !Pattern.compile("(?m)^" + value.replace("{", "\\{.*")).matcher(exposed).find());
            return Stream.of(names, selected, kept, values).flatMap(each -> each).toList();
        }

        private static boolean known(String label, Set<String> labels) {
            return labels.contains(label) || OF_TARGETS.contains(label);
        }

        private Stream<String> by() {
            return BY.matcher(expression).results().flatMap(found -> Stream.of(found.group(1).split(", ")));
        }

        private Stream<String> shown() {
            return SHOWN.matcher(text).results().map(found -> found.group(1));
        }

        /** Labels that its text shows and that its result does not have. */
        List<String> unknown() {
            var kept = by().collect(toSet());
            return AGGREGATED.matcher(expression).find()
                    ? shown().filter(label -> !kept.contains(label)).toList()
                    : List.of();
        }
    }

    /** Labels of a metric of that name; each has one at least, its scope. */
    private static Set<String> labels(String metric, String exposed) {
        return Pattern.compile("(?m)^" + metric + "\\{(.*)}").matcher(exposed).results()
                .flatMap(line -> MATCHER.matcher(line.group(1)).results().map(found -> found.group(1)))
                .collect(toSet());
    }

    /** Those of alerts and of the dashboard. */
    public static List<Query> queries() throws IOException {
        var alerts = stream(rules().at("/groups/0/rules")).map(rule -> new Query(rule.path("alert").asText(),
                rule.path("expr").asText(), rule.at("/annotations/summary").asText()));
        var panels = stream(dashboard().path("panels"))
                .flatMap(panel -> stream(panel.path("targets")).map(target -> new Query(panel.path("title").asText(),
                        target.path("expr").asText(), target.path("legendFormat").asText())));
        return Stream.concat(alerts, panels).toList();
    }

    /** Names of all alerts. */
    public static Set<String> alerts() throws IOException {
        return stream(rules().at("/groups/0/rules")).map(rule -> rule.path("alert").asText())
                .collect(toCollection(TreeSet::new));
    }

    /** The rules as Prometheus itself takes them, without the resource around them. */
    static JsonNode rules() throws IOException {
        try (var reader = Files.newBufferedReader(FOLDER.resolve("rules.yaml"))) {
            return JSON.valueToTree(new Yaml().<Object>load(reader)).path("spec");
        }
    }

    static JsonNode dashboard() throws IOException {
        return JSON.readTree(FOLDER.resolve("dashboard.json").toFile());
    }

    static Stream<JsonNode> stream(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false);
    }
}
