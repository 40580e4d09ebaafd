package dev.imagen;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docs/aot.sh}, with a java that only tells what settings it gets. */
class AotScriptTest {

    private static final String JAVA = """
            #!/bin/sh
            case $* in
            *AOTCacheOutput*)
                env > "$HOME/service"
                exit 1
                ;;
            esac
            env > "$HOME/server"
            mkdir -p "$IMAGEN_HOME/postgres"
            echo '127.0.0.1:1:imagen:imagen:secret' > "$IMAGEN_HOME/postgres/pgpass"
            echo "psql 'postgresql://imagen@127.0.0.1:1/imagen?x'"
            exec sleep 60
            """;

    /** What a shell may have for a service of another kind. */
    private static final Map<String, String> CALLER = Map.of("DB_CONNECTION_URL", "jdbc:postgresql://db/images",
            "DB_MIGRATION_URL", "jdbc:postgresql://db/images", "LOG_FORMAT", "json", "STORAGE_KIND", "s3",
            "BACKENDS_OPENAI_KEY", "sk-1", "AUTH_MODE", "keys");

    @TempDir
    private Path folder;

    @Test
    void no_setting_of_the_callers_reaches_the_service_that_a_cache_is_made_with() throws Exception {
        var java = Files.writeString(Files.createDirectories(folder.resolve("bin")).resolve("java"), JAVA);
        assertThat(java.toFile().setExecutable(true)).isTrue();
        var builder = new ProcessBuilder("sh", "docs/aot.sh", folder.resolve("imagen.aot").toString(), "-version")
                .redirectErrorStream(true);
        builder.environment().putAll(CALLER);
        builder.environment().putAll(Map.of("HOME", folder.toString(), "JAVA_HOME", folder.toString()));
        var script = builder.start();
        var said = new String(script.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(script.waitFor()).isOne();
        assertThat(said).contains("It ended before it was ready");
        assertThat(environment("server")).doesNotContainKeys("DB_CONNECTION_URL", "DB_MIGRATION_URL", "LOG_FORMAT",
                "STORAGE_KIND", "BACKENDS_OPENAI_KEY").containsEntry("AUTH_MODE", "none");
        assertThat(environment("service"))
                .doesNotContainKeys("DB_MIGRATION_URL", "LOG_FORMAT", "STORAGE_KIND", "BACKENDS_OPENAI_KEY")
                .containsEntry("DB_CONNECTION_URL", "jdbc:postgresql://127.0.0.1:1/imagen");
    }

    private Map<String, String> environment(String process) throws IOException {
        try (var lines = Files.lines(folder.resolve(process))) {
            return lines.filter(line -> line.contains("="))
                    .collect(toMap(line -> line.replaceFirst("=.*", ""), line -> line.replaceFirst(".*?=", "")));
        }
    }
}
