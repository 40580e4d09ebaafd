package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Backends;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Parameter;
import dev.imagen.backend.Progress;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BackendJsonTest {

    private static ImageBackend offering(BackendInfo info) {
        return new ImageBackend() {
            @Override
            public BackendInfo info() {
                return info;
            }

            @Override
            public Generation generate(ImageRequest request, Progress progress) {
                throw new AssertionError("nobody asks for a picture");
            }
        };
    }

    @Test
    void models_that_differ_from_their_backend_are_told_with_what_they_take() {
        var info = new BackendInfo("b", List.of("one", "two"), new BackendInfo.Defaults(1024, 1024, 28),
                new BackendInfo.Limits(256, 2048, 2048 * 2048, 500),
                List.of(new Parameter("input", "Anything.", new Parameter.Kind.Fields())),
                Set.of(Feature.SEED, Feature.STEPS), Map.of("two", new Sizes.Own(), "one", Sizes.of("512x512")),
                Map.of("one", new BackendInfo.Abilities(Set.of(Feature.SEED, Feature.STEPS), 4, 8), "two",
                        new BackendInfo.Abilities(Set.of(Feature.SEED), 0, 0, Optional.of(new Size(1216, 832)))));
        var json = BackendJson.of(info, new Backends("b", List.of(offering(info))));
        assertThat(json.path("features")).hasToString("[\"steps\",\"seed\"]");
        assertThat(json.path("sizes"))
                .hasToString("[{\"model\":\"one\",\"sizes\":[\"512x512\"]},{\"model\":\"two\",\"sizes\":[]}]");
        assertThat(json.path("abilities"))
                .hasToString("[{\"model\":\"one\",\"features\":[\"steps\",\"seed\"],\"steps\":4,\"max_steps\":8,"
                        + "\"width\":null,\"height\":null},"
                        + "{\"model\":\"two\",\"features\":[\"seed\"],\"steps\":null,\"max_steps\":null,"
                        + "\"width\":1216,\"height\":832}]");
        assertThat(json.path("parameters"))
                .hasToString("[{\"name\":\"input\",\"description\":\"Anything.\",\"type\":\"object\"}]");
    }
}
