package dev.imagen.k8s;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestsTest {

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void every_object_is_one_that_the_api_takes(String overlay) throws Exception {
        var manifests = Manifests.of(overlay);
        manifests.parse();
        assertThat(manifests.untyped()).extracting(node -> node.path("kind").asText()).isSubsetOf("ScaledObject",
                "TriggerAuthentication", "Cluster");
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void every_setting_exists(String overlay) throws Exception {
        var manifests = Manifests.of(overlay);
        var inMaps = manifests.each(ConfigMap.class).stream()
                .filter(map -> !map.getMetadata().getName().startsWith("imagen-dashboard"))
                .flatMap(map -> map.getData().keySet().stream());
        var inPods = manifests.each(Deployment.class).stream()
                .flatMap(deployment -> deployment.getSpec().getTemplate().getSpec().getContainers().stream())
                .flatMap(container -> container.getEnv().stream()).map(EnvVar::getName);
        var inSecrets = Pattern.compile("(?m)^  ([A-Z][A-Z0-9_]+):")
                .matcher(Files.readString(Path.of("k8s/overlays/production/secrets.example.yaml"))).results()
                .map(found -> found.group(1));
        var known = Files.readString(Path.of("src/main/resources/application.yaml"));
        assertThat(Stream.of(inMaps, inPods, inSecrets).flatMap(names -> names)).isNotEmpty()
                .allSatisfy(name -> assertThat(known).containsPattern("\\b" + name + "\\s"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void pods_have_no_root_and_those_that_serve_have_every_probe(String overlay) throws Exception {
        var manifests = Manifests.of(overlay);
        manifests.each(Job.class).forEach(job -> assertConfined(job.getSpec().getTemplate().getSpec()));
        assertThat(manifests.each(Deployment.class)).isNotEmpty().allSatisfy(deployment -> {
            var pod = deployment.getSpec().getTemplate().getSpec();
            assertConfined(pod);
            var container = pod.getContainers().getFirst();
            assertThat(container.getStartupProbe().getHttpGet().getPath()).isEqualTo("/observe/health/started");
            assertThat(container.getReadinessProbe().getHttpGet().getPath()).isEqualTo("/observe/health/ready");
            assertThat(container.getLivenessProbe().getHttpGet().getPath()).isEqualTo("/observe/health/live");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void a_pod_may_take_longer_to_stop_than_its_worker(String overlay) throws Exception {
        var manifests = Manifests.of(overlay);
        var grace = manifests.each(ConfigMap.class).stream().flatMap(map -> map.getData().entrySet().stream())
                .filter(entry -> entry.getKey().equals("WORKER_GRACE")).findFirst().orElseThrow().getValue();
        assertThat(manifests.each(Deployment.class)).isNotEmpty().allSatisfy(deployment -> {
            var pod = deployment.getSpec().getTemplate().getSpec();
            var sleep = pod.getContainers().getFirst().getLifecycle().getPreStop().getExec().getCommand().getLast();
            assertThat(Duration.ofSeconds(pod.getTerminationGracePeriodSeconds()))
                    .isGreaterThan(Duration.parse(grace).plusSeconds(Long.parseLong(sleep)));
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void selectors_find_their_pods(String overlay) throws Exception {
        var manifests = Manifests.of(overlay);
        var deployments = manifests.each(Deployment.class);
        var pods = deployments.stream().map(each -> each.getSpec().getTemplate().getMetadata().getLabels()).toList();
        assertThat(deployments).allSatisfy(each -> assertThat(each.getSpec().getTemplate().getMetadata().getLabels())
                .containsAllEntriesOf(each.getSpec().getSelector().getMatchLabels()));
        var services = manifests.each(Service.class).stream().map(service -> service.getSpec().getSelector());
        var budgets = manifests.each(PodDisruptionBudget.class).stream()
                .map(budget -> budget.getSpec().getSelector().getMatchLabels());
        assertThat(Stream.concat(services, budgets)).isNotEmpty().allSatisfy(
                selector -> assertThat(pods).anySatisfy(labels -> assertThat(labels).containsAllEntriesOf(selector)));
        assertThat(manifests.untyped().stream().map(node -> node.at("/spec/scaleTargetRef/name"))
                .filter(name -> !name.isMissingNode()).map(JsonNode::asText))
                .isSubsetOf(deployments.stream().map(each -> each.getMetadata().getName()).toList());
    }

    private static void assertConfined(PodSpec pod) {
        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod.getSecurityContext().getRunAsUser()).isEqualTo(10001);
        assertThat(pod.getContainers()).isNotEmpty().allSatisfy(container -> {
            assertThat(container.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
            assertThat(container.getSecurityContext().getAllowPrivilegeEscalation()).isFalse();
        });
    }
}
