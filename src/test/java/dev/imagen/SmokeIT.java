package dev.imagen;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.ServiceProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code docs/smoke.sh} against a real process; it needs sh and curl. */
class SmokeIT {

    @TempDir
    private Path home;

    @Test
    void every_check_passes_against_a_running_service() throws Exception {
        try (var service = ServiceProcess.start(home, Map.of())) {
            var smoke = smoke(service.awaitReady().toString(), service.psqlUrl());
            assertThat(smoke.exit()).as(smoke.output()).isZero();
            assertThat(smoke.output().lines()).filteredOn(line -> line.startsWith("ok - ")).hasSizeGreaterThan(15);
        }
    }

    @Test
    void the_first_check_that_fails_ends_it_and_is_named() throws Exception {
        var smoke = smoke("http://127.0.0.1:1", "postgresql://127.0.0.1:1/none");
        assertThat(smoke.exit()).isNotZero();
        assertThat(smoke.output().lines()).noneMatch(line -> line.startsWith("ok - "))
                .anyMatch(line -> line.startsWith("not ok - the service is ready"));
    }

    private record Smoke(int exit, String output) {}

    private static Smoke smoke(String base, String psqlUrl) throws IOException, InterruptedException {
        var builder = new ProcessBuilder("sh", "docs/smoke.sh", base).redirectErrorStream(true);
        builder.environment().put("SMOKE_DATABASE_URL", psqlUrl);
        var process = builder.start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Smoke(process.waitFor(), output);
    }
}
