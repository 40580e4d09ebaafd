package dev.imagen.k8s;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitor;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one manifest says of another is there. */
class ManifestReferencesTest {

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void selectors_find_their_pods(String overlay) {
        var manifests = Manifests.of(overlay);
        assertThat(manifests.each(Deployment.class)).allSatisfy(each -> {
            assertThat(labels(each.getSpec().getTemplate()))
                    .containsAllEntriesOf(each.getSpec().getSelector().getMatchLabels());
            assertThat(each.getSpec().getTemplate().getSpec().getTopologySpreadConstraints()).isNotEmpty()
                    .allSatisfy(constraint -> assertThat(labels(each.getSpec().getTemplate()))
                            .containsAllEntriesOf(constraint.getLabelSelector().getMatchLabels()));
        });
        assertThat(selectors(manifests)).isNotEmpty()
                .allSatisfy(selector -> assertThat(selected(manifests, selector)).isNotEmpty());
    }

    private static Stream<Map<String, String>> selectors(Manifests manifests) {
        return Stream.of(manifests.each(Service.class).stream().map(each -> each.getSpec().getSelector()),
                manifests.each(PodDisruptionBudget.class).stream()
                        .map(each -> each.getSpec().getSelector().getMatchLabels()),
                manifests.each(PodMonitor.class).stream().map(each -> each.getSpec().getSelector().getMatchLabels()),
                manifests.each(NetworkPolicy.class).stream()
                        .map(each -> each.getSpec().getPodSelector().getMatchLabels()))
                .flatMap(selectors -> selectors);
    }

    private static List<PodTemplateSpec> selected(Manifests manifests, Map<String, String> selector) {
        return manifests.pods().stream().filter(pod -> labels(pod).entrySet().containsAll(selector.entrySet()))
                .toList();
    }

    private static Map<String, String> labels(PodTemplateSpec pod) {
        return pod.getMetadata().getLabels();
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void every_port_is_open_where_it_is_looked_for(String overlay) {
        var manifests = Manifests.of(overlay);
        assertThat(manifests.each(Service.class)).isNotEmpty().allSatisfy(service -> assertThat(
                selected(manifests, service.getSpec().getSelector()))
                .allSatisfy(pod -> assertThat(ports(pod)).containsAll(
                        service.getSpec().getPorts().stream().map(each -> each.getTargetPort().getStrVal()).toList())));
        // A pod without a port of that name, the migration's, is asked for nothing.
        assertThat(manifests.each(PodMonitor.class)).allSatisfy(monitor -> assertThat(manifests.each(Deployment.class))
                .allSatisfy(deployment -> assertThat(ports(deployment.getSpec().getTemplate()))
                        .contains(monitor.getSpec().getPodMetricsEndpoints().getFirst().getPort())));
        assertThat(manifests.each(Ingress.class).stream().flatMap(ingress -> ingress.getSpec().getRules().stream())
                .flatMap(rule -> rule.getHttp().getPaths().stream()).map(path -> path.getBackend().getService()))
                .allSatisfy(
                        backend -> assertThat(manifests.named(Service.class, backend.getName()).getSpec().getPorts())
                                .extracting(ServicePort::getName).contains(backend.getPort().getName()));
        assertThat(manifests.each(NetworkPolicy.class)).isNotEmpty().allSatisfy(
                policy -> assertThat(policy.getSpec().getIngress()).allSatisfy(rule -> assertThat(rule.getPorts())
                        .allSatisfy(port -> assertThat(port.getPort().getIntVal()).isEqualTo(8080))));
    }

    private static List<String> ports(PodTemplateSpec pod) {
        return pod.getSpec().getContainers().getFirst().getPorts().stream().map(ContainerPort::getName).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void every_name_is_that_of_an_object(String overlay) {
        var manifests = Manifests.of(overlay);
        assertThat(manifests.pods()).isNotEmpty().allSatisfy(pod -> {
            assertThat(names(manifests, ServiceAccount.class)).contains(pod.getSpec().getServiceAccountName());
            assertThat(pod.getSpec().getVolumes()).filteredOn(volume -> volume.getPersistentVolumeClaim() != null)
                    .allSatisfy(volume -> assertThat(names(manifests, PersistentVolumeClaim.class))
                            .contains(volume.getPersistentVolumeClaim().getClaimName()));
            assertThat(pod.getSpec().getContainers().getFirst().getEnvFrom()).isNotEmpty().allSatisfy(from -> {
                if (from.getConfigMapRef() != null) {
                    assertThat(names(manifests, ConfigMap.class)).contains(from.getConfigMapRef().getName());
                } else {
                    assertThat(names(manifests, Secret.class)).contains(from.getSecretRef().getName());
                }
            });
        });
        var deployments = names(manifests, Deployment.class);
        assertThat(manifests.each(HorizontalPodAutoscaler.class))
                .allSatisfy(each -> assertThat(deployments).contains(each.getSpec().getScaleTargetRef().getName()));
        assertThat(manifests.untyped("ScaledObject")).allSatisfy(each -> {
            assertThat(deployments).contains(each.at("/spec/scaleTargetRef/name").asText());
            assertThat(each.at("/spec/triggers"))
                    .allSatisfy(trigger -> assertThat(manifests.untyped("TriggerAuthentication"))
                            .extracting(ManifestReferencesTest::name)
                            .contains(trigger.at("/authenticationRef/name").asText()));
        });
        assertThat(manifests.untyped("TriggerAuthentication"))
                .allSatisfy(each -> assertThat(each.at("/spec/secretTargetRef")).isNotEmpty()
                        .allSatisfy(reference -> assertThat(
                                manifests.named(Secret.class, reference.path("name").asText()).getStringData())
                                .containsKey(reference.path("key").asText())));
        assertThat(manifests.untyped("Cluster")).allSatisfy(each -> assertThat(
                manifests.named(Secret.class, each.at("/spec/bootstrap/initdb/secret/name").asText()).getStringData())
                .containsEntry("username", each.at("/spec/bootstrap/initdb/owner").asText()).containsKey("password"));
    }

    private static <T extends HasMetadata> List<String> names(Manifests manifests, Class<T> type) {
        return manifests.each(type).stream().map(each -> each.getMetadata().getName()).toList();
    }

    private static String name(JsonNode object) {
        return object.at("/metadata/name").asText();
    }
}
