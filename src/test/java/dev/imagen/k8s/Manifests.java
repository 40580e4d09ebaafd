package dev.imagen.k8s;

import static java.util.stream.Collectors.toMap;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import dev.imagen.testing.Tools;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Secret;
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
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.yaml.snakeyaml.Yaml;

/**
 * What kustomize makes of an overlay, with the example Secrets that are applied before it. Where kubectl is missing the
 * test is skipped, as those of faults are.
 */
public record Manifests(List<JsonNode> all) {

    private static final ObjectMapper STRICT = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).setAnnotationIntrospector(new Closed());
    private static final Map<String, Class<? extends HasMetadata>> TYPES = Map.ofEntries(type(ConfigMap.class),
            type(PersistentVolumeClaim.class), type(Service.class), type(ServiceAccount.class), type(Secret.class),
            type(Deployment.class), type(HorizontalPodAutoscaler.class), type(Job.class), type(Ingress.class),
            type(NetworkPolicy.class), type(PodDisruptionBudget.class), type(PodMonitor.class),
            type(PrometheusRule.class));
    private static final Path OVERLAYS = Path.of("k8s/overlays");
    /** An overlay, and what it is made of, where that has Secrets. */
    private static final Map<String, List<String>> SECRETS = Map.of("local", List.of(), "production",
            List.of("production"), "database", List.of("production", "database"));
    private static final Map<String, Manifests> RENDERED = new ConcurrentHashMap<>();

    /** @param overlay its folder's name */
    public static Manifests of(String overlay) {
        return RENDERED.computeIfAbsent(overlay, Manifests::render);
    }

    private static Manifests render(String overlay) {
        try {
            var documents = documents(kustomize(OVERLAYS.resolve(overlay)));
            for (String of : SECRETS.get(overlay)) {
                documents.addAll(documents(Files.readString(OVERLAYS.resolve(of + "/secrets.example.yaml"))));
            }
            return new Manifests(documents);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String kustomize(Path folder) throws IOException {
        var errors = Files.createTempFile("kustomize", ".txt");
        try {
            var process = new ProcessBuilder(Tools.kubectl().toString(), "kustomize", folder.toString())
                    .redirectError(errors.toFile()).start();
            var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.onExit().join().exitValue() != 0) {
                throw new IllegalStateException(Files.readString(errors));
            }
            return text;
        } finally {
            Files.delete(errors);
        }
    }

    private static List<JsonNode> documents(String text) {
        var documents = new ArrayList<JsonNode>();
        new Yaml().loadAll(text).forEach(document -> documents.add(STRICT.valueToTree(document)));
        return documents;
    }

    /** Strictly: a field that the API does not know is an error. */
    public <T extends HasMetadata> List<T> each(Class<T> type) {
        return all.stream().filter(node -> type(type).getKey().equals(key(node)))
                .map(node -> STRICT.convertValue(node, type)).toList();
    }

    /** Those of kinds that have no types here. */
    List<JsonNode> untyped() {
        return all.stream().filter(node -> !TYPES.containsKey(key(node))).toList();
    }

    List<JsonNode> untyped(String kind) {
        return untyped().stream().filter(node -> node.path("kind").asText().equals(kind)).toList();
    }

    void parse() {
        TYPES.values().forEach(this::each);
    }

    /** The pods that these make. */
    List<PodTemplateSpec> pods() {
        return Stream.concat(each(Deployment.class).stream().map(each -> each.getSpec().getTemplate()),
                each(Job.class).stream().map(each -> each.getSpec().getTemplate())).toList();
    }

    /** The only container of each Deployment and Job, by the name of that. */
    public Map<String, Container> containers() {
        return Stream.concat(each(Deployment.class).stream(), each(Job.class).stream())
                .collect(toMap(each -> each.getMetadata().getName(), each -> switch (each) {
                    case Deployment deployment -> only(deployment.getSpec().getTemplate());
                    case Job job -> only(job.getSpec().getTemplate());
                    default -> throw new IllegalArgumentException(each.getKind());
                }));
    }

    private static Container only(PodTemplateSpec pod) {
        return pod.getSpec().getContainers().getFirst();
    }

    /** What a container's process has in its environment. */
    Map<String, String> environment(Container container) {
        var environment = new HashMap<String, String>();
        container.getEnvFrom().forEach(from -> {
            if (from.getConfigMapRef() != null) {
                environment.putAll(named(ConfigMap.class, from.getConfigMapRef().getName()).getData());
            }
            if (from.getSecretRef() != null) {
                environment.putAll(named(Secret.class, from.getSecretRef().getName()).getStringData());
            }
        });
        container.getEnv().forEach(each -> environment.put(each.getName(), each.getValue()));
        return environment;
    }

    /** The settings of a Deployment's or Job's process by key, as the loader takes them. */
    public Map<String, String> values(String name) {
        var values = new HashMap<String, String>();
        environment(containers().get(name))
                .forEach((variable, value) -> values.put(variable.toLowerCase(Locale.ROOT).replace('_', '.'), value));
        return values;
    }

    /** The only one of this name. */
    <T extends HasMetadata> T named(Class<T> type, String name) {
        var found = each(type).stream().filter(each -> each.getMetadata().getName().equals(name)).toList();
        if (found.size() != 1) {
            throw new AssertionError(found.size() + " of " + type.getSimpleName() + " " + name);
        }
        return found.getFirst();
    }

    private static String key(JsonNode node) {
        return node.path("apiVersion").asText() + " " + node.path("kind").asText();
    }

    private static <T extends HasMetadata> Map.Entry<String, Class<T>> type(Class<T> type) {
        return Map.entry(HasMetadata.getApiVersion(type) + " " + HasMetadata.getKind(type), type);
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
