package dev.imagen.k8s;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.Settings;
import dev.imagen.config.SettingsLoader;
import dev.imagen.config.StorageSettings.Kind;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How much of each thing there is, and how much is needed. */
class ManifestLimitsTest {

    @Test
    void one_autoscaler_alone_says_how_many_pods_a_deployment_has() {
        assertThat(most().keySet()).containsExactlyInAnyOrderElementsOf(Manifests.of("production")
                .each(Deployment.class).stream().map(each -> each.getMetadata().getName()).toList());
        assertThat(Manifests.of("production").each(Deployment.class)).extracting(each -> each.getSpec().getReplicas())
                .containsOnlyNulls();
    }

    /** Pods at most by the name of their Deployment; a second autoscaler of the same is an error. */
    private static Map<String, Integer> most() {
        var most = new HashMap<String, Integer>();
        Manifests.of("production").each(HorizontalPodAutoscaler.class)
                .forEach(each -> assertThat(
                        most.put(each.getSpec().getScaleTargetRef().getName(), each.getSpec().getMaxReplicas()))
                        .isNull());
        Manifests.of("production").untyped("ScaledObject").forEach(each -> assertThat(
                most.put(each.at("/spec/scaleTargetRef/name").asText(), each.at("/spec/maxReplicaCount").asInt()))
                .isNull());
        return most;
    }

    @Test
    void a_node_can_be_drained_of_the_only_pod() {
        assertThat(Manifests.of("production").each(PodDisruptionBudget.class)).hasSize(2).allSatisfy(budget -> {
            assertThat(budget.getSpec().getMinAvailable()).isNull();
            assertThat(budget.getSpec().getMaxUnavailable().getIntVal()).isPositive();
        });
    }

    @Test
    void the_database_has_a_connection_for_each_that_all_pods_may_open() {
        int needed = most().entrySet().stream().mapToInt(each -> {
            var database = settings(Manifests.of("database"), each.getKey()).database();
            // A quarter more while a new version takes over, and one for LISTEN.
            return (int) Math.ceil(each.getValue() * 1.25) * (database.pool() + database.forWorker().pool() + 1);
        }).sum();
        assertThat(Manifests.of("database").untyped("Cluster").getFirst()
                .at("/spec/postgresql/parameters/max_connections").asInt()).isBetween(needed, 2 * needed);
    }

    @Test
    void the_documents_say_how_many_connections_are_set() throws IOException {
        var most = Manifests.of("database").untyped("Cluster").getFirst()
                .at("/spec/postgresql/parameters/max_connections").asText();
        assertThat(Files.readString(Path.of("docs/kubernetes.md"))).contains("`max_connections` of " + most);
        assertThat(Files.readString(Path.of("docs/scaling.md"))).contains("`max_connections` of " + most);
    }

    private static Settings settings(Manifests manifests, String name) {
        return SettingsLoader.load(manifests.values(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void every_pod_has_a_limit_of_memory_and_asks_for_what_it_needs(String overlay) {
        assertThat(Manifests.of(overlay).containers().values()).allSatisfy(container -> {
            // The image gives the heap 60 % of it.
            assertThat(bytes(container.getResources().getLimits().get("memory"))).isGreaterThanOrEqualTo(512L << 20);
            assertThat(container.getResources().getRequests()).containsKeys("cpu", "memory");
        });
    }

    private static long bytes(Quantity quantity) {
        return Quantity.getAmountInBytes(quantity).longValueExact();
    }

    @Test
    void image_files_belong_to_one_pod_on_one_volume() {
        var local = Manifests.of("local");
        assertThat(settings(local, "imagen").storage().kind()).isEqualTo(Kind.FILE);
        assertThat(settings(Manifests.of("production"), "imagen").storage().kind()).isNotEqualTo(Kind.FILE);
        assertThat(settings(Manifests.of("production"), "imagen-worker").storage().kind()).isNotEqualTo(Kind.FILE);
        assertThat(local.each(Deployment.class)).singleElement().satisfies(deployment -> {
            assertThat(deployment.getSpec().getReplicas()).isOne();
            assertThat(deployment.getSpec().getStrategy().getType()).isEqualTo("Recreate");
            assertThat(deployment.getSpec().getTemplate().getSpec().getVolumes())
                    .anySatisfy(volume -> assertThat(volume.getPersistentVolumeClaim()).isNotNull());
        });
        assertThat(local.each(HorizontalPodAutoscaler.class)).isEmpty();
    }

    @Test
    void the_proxy_lets_streams_and_the_largest_pictures_through() {
        var annotations = Manifests.of("production").named(Ingress.class, "imagen").getMetadata().getAnnotations();
        assertThat(annotations).containsEntry("nginx.ingress.kubernetes.io/proxy-buffering", "off");
        // A stream ends after an hour by itself.
        assertThat(Integer.parseInt(annotations.get("nginx.ingress.kubernetes.io/proxy-read-timeout")))
                .isGreaterThanOrEqualTo(3600);
        assertThat(
                bytes(new Quantity(annotations.get("nginx.ingress.kubernetes.io/proxy-body-size").replace("m", "Mi"))))
                .isGreaterThanOrEqualTo(settings(Manifests.of("production"), "imagen").images().bytes());
    }

    @Test
    void the_proxy_keeps_strangers_from_health_and_metrics() {
        assertThat(Manifests.of("production").each(Ingress.class)).filteredOn(ingress -> ingress.getSpec().getRules()
                .getFirst().getHttp().getPaths().getFirst().getPath().equals("/observe")).singleElement()
                .satisfies(ingress -> {
                    assertThat(ingress.getMetadata().getAnnotations())
                            .containsEntry("nginx.ingress.kubernetes.io/whitelist-source-range", "127.0.0.1/32");
                    assertThat(ingress.getSpec().getRules()).extracting(rule -> rule.getHost())
                            .containsExactlyElementsOf(Manifests.of("production").named(Ingress.class, "imagen")
                                    .getSpec().getRules().stream().map(rule -> rule.getHost()).toList());
                });
    }
}
