package dev.imagen.k8s;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestsTest {

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void every_object_is_one_that_the_api_takes(String overlay) {
        var manifests = Manifests.of(overlay);
        manifests.parse();
        assertThat(manifests.untyped()).allSatisfy(node -> {
            assertThat(node.path("kind").asText()).isIn("ScaledObject", "TriggerAuthentication", "Cluster");
            assertThat(CustomTypes.errors(node)).isEmpty();
        });
    }

    @Test
    void keda_is_told_all_that_its_trigger_needs() {
        var triggers = Manifests.of("production").untyped("ScaledObject").getFirst().at("/spec/triggers");
        assertThat(triggers).hasSize(2).allSatisfy(trigger -> {
            assertThat(trigger.path("type").asText()).isEqualTo("postgresql");
            assertThat(CustomTypes.errors("trigger postgresql", trigger.path("metadata"))).isEmpty();
        });
        assertThat(Manifests.of("production").untyped("TriggerAuthentication").getFirst()
                .at("/spec/secretTargetRef/0/parameter").asText()).isEqualTo("connection");
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void every_setting_exists(String overlay) throws Exception {
        var manifests = Manifests.of(overlay);
        var known = Files.readString(Path.of("src/main/resources/application.yaml"));
        assertThat(manifests.containers().values())
                .allSatisfy(container -> assertThat(manifests.environment(container).keySet()).isNotEmpty()
                        .allSatisfy(name -> assertThat(known).containsPattern("\\b" + name + "\\s")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void pods_have_no_root_and_write_to_their_volumes_alone(String overlay) {
        assertThat(Manifests.of(overlay).pods()).isNotEmpty().allSatisfy(pod -> assertConfined(pod.getSpec()));
    }

    private static void assertConfined(PodSpec pod) {
        assertThat(pod.getSecurityContext().getRunAsNonRoot()).isTrue();
        assertThat(pod.getSecurityContext().getRunAsUser()).isEqualTo(10001);
        assertThat(pod.getAutomountServiceAccountToken()).isFalse();
        var volumes = pod.getVolumes().stream().map(Volume::getName).toList();
        assertThat(pod.getContainers()).singleElement().satisfies(container -> {
            assertThat(container.getSecurityContext().getReadOnlyRootFilesystem()).isTrue();
            assertThat(container.getSecurityContext().getAllowPrivilegeEscalation()).isFalse();
            assertThat(container.getSecurityContext().getCapabilities().getDrop()).containsExactly("ALL");
            assertThat(container.getVolumeMounts()).extracting(VolumeMount::getMountPath)
                    .containsExactlyInAnyOrder("/tmp", "/var/lib/imagen");
            assertThat(container.getVolumeMounts()).extracting(VolumeMount::getName).isSubsetOf(volumes);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void those_that_serve_have_every_probe(String overlay) {
        assertThat(Manifests.of(overlay).each(Deployment.class)).isNotEmpty().allSatisfy(deployment -> {
            var container = deployment.getSpec().getTemplate().getSpec().getContainers().getFirst();
            assertThat(container.getArgs()).containsExactly("serve");
            // Not "started": a pod that waits for its database or the migration would be killed again and again.
            assertThat(container.getStartupProbe().getHttpGet().getPath()).isEqualTo("/observe/health/live");
            assertThat(container.getReadinessProbe().getHttpGet().getPath()).isEqualTo("/observe/health/ready");
            assertThat(container.getLivenessProbe().getHttpGet().getPath()).isEqualTo("/observe/health/live");
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"production", "database"})
    void one_job_migrates_and_nobody_else(String overlay) {
        var manifests = Manifests.of(overlay);
        assertThat(manifests.each(Job.class)).singleElement().satisfies(job -> {
            assertThat(job.getSpec().getBackoffLimit()).isPositive();
            assertThat(job.getSpec().getTtlSecondsAfterFinished()).isPositive();
            // With OnFailure the only pod, and what its log says of the failure, are removed after the last try.
            assertThat(job.getSpec().getTemplate().getSpec().getRestartPolicy()).isEqualTo("Never");
        });
        var containers = manifests.containers();
        var migrate = containers.remove("imagen-migrate");
        assertThat(migrate.getArgs()).containsExactly("migrate");
        assertThat(manifests.environment(migrate)).containsKeys("DB_MIGRATION_USERNAME", "DB_MIGRATION_PASSWORD");
        assertThat(containers.values()).extracting(Container::getImage).containsOnly(migrate.getImage());
        assertThat(containers.values()).allSatisfy(container -> assertThat(manifests.environment(container))
                .containsEntry("DB_MIGRATION_ENABLED", "false").doesNotContainKey("DB_MIGRATION_PASSWORD"));
    }

    @Test
    void a_local_image_is_looked_for_in_the_cluster_first() {
        assertThat(Manifests.of("local").containers().values()).extracting(Container::getImagePullPolicy)
                .containsExactly("IfNotPresent");
    }
}
