package dev.imagen.k8s;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.openshift.api.model.monitoring.v1.PodMonitor;
import io.fabric8.openshift.api.model.monitoring.v1.PrometheusRule;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;
import org.yaml.snakeyaml.Yaml;

/** What kustomize makes of an overlay. Where kubectl is missing the test is skipped, as those of faults are. */
record Manifests(List<JsonNode> all) {

    private static final ObjectMapper STRICT = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).setAnnotationIntrospector(new Closed());
    private static final Map<String, Class<? extends HasMetadata>> TYPES = Map.ofEntries(type(ConfigMap.class),
            type(PersistentVolumeClaim.class), type(Service.class), type(ServiceAccount.class), type(Deployment.class),
            type(HorizontalPodAutoscaler.class), type(Job.class), type(Ingress.class), type(NetworkPolicy.class),
            type(PodDisruptionBudget.class), type(PodMonitor.class), type(PrometheusRule.class));

    static Manifests of(String overlay) throws IOException, InterruptedException {
        var errors = Files.createTempFile("kustomize", ".txt");
        var process = new ProcessBuilder(kubectl(), "kustomize", "k8s/overlays/" + overlay)
                .redirectError(errors.toFile()).start();
        var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(Files.readString(errors));
        }
        Files.delete(errors);
        var documents = new ArrayList<JsonNode>();
        new Yaml().loadAll(text).forEach(document -> documents.add(STRICT.valueToTree(document)));
        return new Manifests(documents);
    }

    /** Strictly: a field that the API does not know is an error. */
    <T extends HasMetadata> List<T> each(Class<T> type) {
        return all.stream().filter(node -> type(type).getKey().equals(key(node)))
                .map(node -> STRICT.convertValue(node, type)).toList();
    }

    /** Those of kinds that have no types here. */
    List<JsonNode> untyped() {
        return all.stream().filter(node -> !TYPES.containsKey(key(node))).toList();
    }

    void parse() {
        TYPES.values().forEach(this::each);
    }

    private static String key(JsonNode node) {
        return node.path("apiVersion").asText() + " " + node.path("kind").asText();
    }

    private static <T extends HasMetadata> Map.Entry<String, Class<T>> type(Class<T> type) {
        return Map.entry(HasMetadata.getApiVersion(type) + " " + HasMetadata.getKind(type), type);
    }

    private static String kubectl() {
        return Stream.of("/usr/bin/kubectl", "/usr/local/bin/kubectl", "/opt/homebrew/bin/kubectl")
                .filter(place -> Files.exists(Path.of(place))).findFirst().orElseThrow(Manifests::missing);
    }

    private static RuntimeException missing() {
        if ("1".equals(System.getenv("IMAGEN_REQUIRE_TOOLS"))) {
            return new IllegalStateException("kubectl is not installed, and IMAGEN_REQUIRE_TOOLS is 1");
        }
        System.out.println("k8s: skipped: kubectl is not installed");
        return new TestAbortedException("kubectl is not installed");
    }

    /** The models keep unknown fields apart; here they are refused. */
    private static final class Closed extends JacksonAnnotationIntrospector {

        private static final long serialVersionUID = 1;

        @Override
        public Boolean hasAnySetter(Annotated member) {
            return Boolean.FALSE;
        }
    }
}
