package dev.imagen.backend.automatic1111;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.pool.ServerPool;
import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.RemoteBackendSettings;
import dev.imagen.config.Secret;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.Automatic1111Server;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two servers under one name. */
@Timeout(30)
class Automatic1111PoolTest {

    private final RemoteHttp http = new RemoteHttp();
    private Automatic1111Server one;
    private Automatic1111Server other;
    private ServerPool pool;

    @BeforeEach
    void start() throws IOException {
        one = Automatic1111Server.start();
        other = Automatic1111Server.start();
        pool = new ServerPool(List.of(backend(one), backend(other)));
    }

    @AfterEach
    void stop() {
        http.close();
        one.close();
        other.close();
    }

    private ImageBackend backend(Automatic1111Server server) {
        return new Automatic1111Backend(new RemoteBackendSettings(Optional.of(server.url()),
                Optional.of(new Secret(Automatic1111Server.KEY)), List.of()), http, 100_000, Duration.ofSeconds(30));
    }

    private void generate() throws JobFailedException, InterruptedException {
        pool.generate(new ImageRequest("a bay", Optional.empty(), "loaded", 256, 256, 4, 1, Map.of()), (_, _) -> {});
    }

    @Test
    void a_picture_is_drawn_where_nobody_elses_is() throws Exception {
        one.drawSlowly();
        one.anotherUserDraws("theirs");
        one.awaitDrawing();
        generate();
        assertThat(other.calls()).isOne();
        assertThat(one.interrupted()).isEmpty();
    }

    @Test
    void a_picture_moves_off_a_server_that_went_away_and_fails_only_where_none_is_left() throws Exception {
        one.close();
        generate();
        assertThat(other.calls()).isOne();
        other.close();
        assertThatThrownBy(this::generate).isInstanceOfSatisfying(JobFailedException.class,
                failure -> assertThat(failure.retryable()).isTrue());
    }

    @Test
    void a_picture_that_breaks_off_on_one_server_is_drawn_by_the_other() throws Exception {
        one.next(Automatic1111Server.status(500, Map.of(), "{\"error\": \"OutOfMemoryError\"}"));
        generate();
        assertThat(one.calls()).isOne();
        assertThat(other.calls()).isOne();
    }
}
