package dev.imagen;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Migrations;
import dev.imagen.k8s.Manifests;
import dev.imagen.testing.RestartableServer;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The service in the environment of the manifests' pods. */
class KubernetesPodsTest {

    private static final Duration SOON = Duration.ofSeconds(30);

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void every_pod_has_settings_that_are_taken(String overlay) {
        var manifests = Manifests.of(overlay);
        assertThat(manifests.containers().keySet()).isNotEmpty()
                .allSatisfy(name -> assertThat(SettingsLoader.load(manifests.values(name))).isNotNull());
    }

    @Test
    void the_api_claims_nothing_and_workers_serve_no_api() {
        var api = SettingsLoader.load(Manifests.of("production").values("imagen"));
        assertThat(api.server().api()).isTrue();
        assertThat(api.worker().enabled()).isFalse();
        var worker = SettingsLoader.load(Manifests.of("production").values("imagen-worker"));
        assertThat(worker.server().api()).isFalse();
        assertThat(worker.worker().enabled()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"local", "production", "database"})
    void a_pod_may_take_longer_to_stop_than_its_drain_its_worker_and_the_last_steps(String overlay) {
        var manifests = Manifests.of(overlay);
        assertThat(manifests.each(Deployment.class)).isNotEmpty().allSatisfy(deployment -> {
            var settings = SettingsLoader.load(manifests.values(deployment.getMetadata().getName()));
            assertThat(settings.server().drain()).isPositive();
            assertThat(
                    Duration.ofSeconds(deployment.getSpec().getTemplate().getSpec().getTerminationGracePeriodSeconds()))
                    .isGreaterThan(
                            settings.server().drain().plus(settings.worker().grace()).plus(ServeCommand.LAST_STEPS));
        });
    }

    /** @param jobs what the API says to who proves nobody, or that it is not there */
    @ParameterizedTest
    @CsvSource({"imagen, 401", "imagen-worker, 404"})
    void both_answer_probes_and_metrics_and_are_not_ready_before_the_migration(String name, int jobs) throws Exception {
        int port = RestartableServer.freePort();
        var database = TestDatabase.empty();
        var environment = Manifests.of("database").values(name);
        environment.put("server.drain", "PT0S");
        environment.put("server.port", String.valueOf(port));
        environment.put("db.connection.url", database.settings().service().url());
        environment.put("db.connection.username", database.settings().service().username());
        environment.put("db.connection.password", database.settings().service().password());
        var service = new Service(SettingsLoader.load(environment));
        // It waits for the migration, and answers meanwhile.
        var start = Thread.ofVirtual().start(service::start);
        try (var client = new TestClient(port)) {
            await().atMost(SOON).ignoreExceptions().until(() -> status(client, "/observe/health/live") == 200);
            assertThat(status(client, "/observe/health/ready")).isEqualTo(503);
            assertThat(status(client, "/observe/health/started")).isEqualTo(503);
            new Migrations(database.settings()).run();
            await().atMost(SOON).until(() -> status(client, "/observe/health/ready") == 200);
            assertThat(status(client, "/observe/health/started")).isEqualTo(200);
            assertThat(new String(client.get("/observe/metrics").bytes(), UTF_8)).contains("imagen_queue_jobs");
            assertThat(status(client, "/jobs")).isEqualTo(jobs);
        } finally {
            service.stop();
            start.join();
            database.close();
        }
    }

    private static int status(TestClient client, String path) {
        return client.get(path).status();
    }
}
