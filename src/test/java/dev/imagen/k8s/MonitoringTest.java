package dev.imagen.k8s;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.Tools;
import io.fabric8.kubernetes.api.model.ConfigMap;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That real processes expose what is asked for, ServeIT tells. */
class MonitoringTest {

    @TempDir
    private Path folder;

    @Test
    void every_alert_says_how_grave_it_is_and_what_happened() throws Exception {
        assertThat(Monitoring.rules().at("/groups/0/rules")).isNotEmpty().allSatisfy(rule -> {
            assertThat(rule.at("/labels/severity").asText()).isIn("critical", "warning");
            assertThat(rule.at("/annotations/summary").asText()).isNotBlank();
        });
    }

    @Test
    void a_text_shows_labels_that_its_query_keeps() throws Exception {
        assertThat(Monitoring.queries()).allSatisfy(query -> assertThat(query.unknown()).isEmpty());
    }

    @Test
    void every_panel_asks_the_data_source_that_is_chosen_and_has_a_unit() throws Exception {
        var dashboard = Monitoring.dashboard();
        assertThat(dashboard.at("/templating/list/0/name").asText()).isEqualTo("datasource");
        assertThat(dashboard.at("/templating/list/0/type").asText()).isEqualTo("datasource");
        assertThat(dashboard.path("panels")).isNotEmpty().allSatisfy(panel -> {
            assertThat(panel.at("/fieldConfig/defaults/unit").asText()).isNotBlank();
            assertThat(panel.at("/datasource/uid").asText()).isEqualTo("${datasource}");
            assertThat(panel.path("targets")).isNotEmpty().allSatisfy(target -> {
                assertThat(target.at("/datasource/uid").asText()).isEqualTo("${datasource}");
                assertThat(target.path("expr").asText()).contains("imagen_");
            });
        });
        assertThat(Monitoring.stream(dashboard.path("panels")).map(panel -> panel.path("id").asInt()))
                .doesNotHaveDuplicates();
        assertThat(Monitoring.stream(dashboard.path("panels")).map(panel -> panel.path("gridPos")))
                .doesNotHaveDuplicates();
    }

    @Test
    void the_dashboard_has_the_label_that_grafana_looks_for_and_takes_the_place_of_the_former_one() {
        var dashboard = Manifests.of("production").named(ConfigMap.class, "imagen-dashboard");
        assertThat(dashboard.getMetadata().getLabels()).containsEntry("grafana_dashboard", "1");
        assertThat(dashboard.getData()).containsOnlyKeys("imagen-dashboard.json");
        // A change of the settings starts new pods, by another name.
        assertThat(Manifests.of("production").each(ConfigMap.class)).extracting(map -> map.getMetadata().getName())
                .anyMatch(name -> name.matches("imagen-[a-z0-9]{10}"));
    }

    /** They show what was last known; that all of them do so, promtool tells. */
    @Test
    void of_the_whole_queue_and_database_only_processes_with_an_answer_are_asked() throws Exception {
        var gauges = Pattern.compile("(imagen_queue_\\w+|imagen_database_oldest_\\w+)(\\{[^}]*})?");
        assertThat(Monitoring.queries()).filteredOn(query -> !query.title().equals("ImagenGone"))
                .filteredOn(query -> gauges.matcher(query.expression()).find()).hasSizeGreaterThan(7)
                .allSatisfy(query -> assertThat(gauges
                        .matcher(query.expression().replaceAll(
                                gauges.pattern() + " and on \\(namespace, pod\\) imagen_database_up == 1\\)", ""))
                        .find()).as(query.expression()).isFalse());
    }

    @Test
    void promtool_takes_the_rules_and_their_tests_pass() throws Exception {
        var promtool = Tools.promtool();
        // JSON is YAML.
        Files.writeString(folder.resolve("rules.yaml"), Monitoring.rules().toString());
        var tests = folder.resolve("rules.test.yaml");
        Files.copy(Path.of("k8s/monitoring/rules.test.yaml"), tests);
        var process = new ProcessBuilder(promtool.toString(), "test", "rules", tests.toString())
                .redirectErrorStream(true).start();
        var said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(Files.readString(tests)).contains(Monitoring.alerts());
    }
}
