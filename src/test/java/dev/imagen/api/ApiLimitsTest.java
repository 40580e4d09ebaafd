package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.imagen.config.ApiSettings;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import dev.imagen.testing.TokenIssuer;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How much one owner or one address may ask for. */
@Timeout(60)
class ApiLimitsTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Optional<Integer> ANY = Optional.empty();

    @Test
    void an_owner_beyond_the_rate_is_429_with_the_time_to_wait_and_another_owner_is_not() {
        try (var issuer = new TokenIssuer();
                var service = TestService.on(DB).jwt(issuer.settings())
                        .limits(new ApiSettings(ANY, Optional.of(2), ANY)).withoutWorker().start()) {
            var one = "Bearer " + issuer.token(UUID.randomUUID());
            var client = service.client();
            assertThat(client.get("/jobs", "Authorization", one).status()).isEqualTo(200);
            assertThat(client.get("/styles", "Authorization", one).status()).isEqualTo(200);
            var refused = client.get("/jobs", "Authorization", one);
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.detail()).isEqualTo("too many requests of this owner: 2 are allowed within a minute");
            // Two a minute: the next one is allowed after half of it.
            assertThat(Integer.parseInt(refused.header("Retry-After"))).isBetween(20, 31);

            assertThat(client.get("/jobs", "Authorization", "Bearer " + issuer.token(UUID.randomUUID())).status())
                    .isEqualTo(200);
            for (int i = 0; i < 5; i++) {
                assertThat(client.get("/pause", "Authorization", "Bearer " + issuer.serviceToken()).status())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void an_address_beyond_the_rate_is_429_whatever_it_shows() {
        try (var issuer = new TokenIssuer();
                var service = TestService.on(DB).jwt(issuer.settings())
                        .limits(new ApiSettings(ANY, ANY, Optional.of(3))).withoutWorker().start()) {
            var client = service.client();
            for (int i = 0; i < 3; i++) {
                assertThat(client.get("/jobs").status()).isEqualTo(401);
            }
            var refused = client.get("/jobs", "Authorization", "Bearer " + issuer.token(UUID.randomUUID()));
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.header("Retry-After")).isNotEmpty();
            assertThat(refused.header("Content-Type")).isEqualTo("application/problem+json");
        }
    }

    @Test
    void an_owner_has_only_so_many_streams_open_and_a_closed_one_makes_room() {
        try (var service = TestService.on(DB).limits(new ApiSettings(Optional.of(2), ANY, ANY)).withoutWorker()
                .start()) {
            var client = service.client();
            var job = client.submit();
            try (var first = client.events("/jobs/events"); var second = client.events("/jobs/" + job + "/events")) {
                first.comment();
                second.comment();
                var refused = client.get("/jobs/events");
                assertThat(refused.status()).isEqualTo(429);
                assertThat(refused.detail()).contains("may have 2 open at a time");
                assertThat(refused.header("Retry-After")).isEqualTo("10");
            }
            // The service notices that a client is gone when it next writes to it.
            await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(200)).until(() -> {
                client.post("/jobs/" + client.submit() + "/cancel");
                client.post("/jobs/" + job + "/cancel");
                try (var next = client.events("/jobs/events")) {
                    return next.status() == 200;
                }
            });
        }
    }
}
