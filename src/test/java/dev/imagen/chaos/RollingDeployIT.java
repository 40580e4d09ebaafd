package dev.imagen.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.Balancer;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Replicas are replaced one after the other, each by a new one that is ready before the old one is told to stop. */
class RollingDeployIT {

    private static final int REPLICAS = 2;

    /** The drain is much longer than the balancer takes to notice, on a busy machine too. */
    private static final Map<String, String> REPLICA = Map.of("SERVER_DRAIN", "PT2S", "WORKER_CONCURRENCY", "16",
            "WORKER_LEASE", "PT15S");

    @RegisterExtension
    final Stage stage = new Stage();

    @Test
    void no_request_fails_no_job_runs_twice_and_every_stream_resumes() throws Exception {
        stage.migrate();
        try (var balancer = new Balancer()) {
            var old = List.of(stage.hire(REPLICA), stage.hire(REPLICA));
            var next = stage.hire(REPLICA);
            for (var member : old) {
                balancer.add(member.process());
            }
            try (var one = Poster.start(balancer.client());
                    var other = Poster.start(balancer.client());
                    var follower = Follower.start(balancer.client())) {
                stage.until("the stream of an old replica tells of ends", () -> !follower.ended().isEmpty());
                int deploys = REPLICAS * Form.of(1, 10);
                for (int i = 1; i <= deploys; i++) {
                    balancer.add(next.process());
                    var last = stage.crew().working().getFirst();
                    // Meanwhile the next one starts.
                    next = i < deploys ? stage.hire(REPLICA) : next;
                    stage.crew().stop(last);
                }
                one.enough();
                other.enough();
                var accepted = Stream.of(one, other).flatMap(poster -> poster.accepted().stream()).toList();
                stage.until("every job's end is told",
                        () -> follower.ended().containsAll(accepted) || !follower.failures().isEmpty());
                stage.report(accepted.size() + " posts accepted, " + follower.streams() + " streams in turn");
                assertThat(one.refusals()).isEmpty();
                assertThat(other.refusals()).isEmpty();
                assertThat(follower.failures()).isEmpty();
                assertThat(follower.streams()).isGreaterThan(1);
                assertThat(stage.jobs().count("status = 'done' and attempt = 1")).isEqualTo(accepted.size());
            }
        }
    }
}
