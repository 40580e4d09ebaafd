package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.BackendInfo;
import dev.imagen.backend.Feature;
import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Parameter.Kind;
import dev.imagen.backend.Refusal;
import dev.imagen.backend.Size;
import dev.imagen.backend.Sizes;
import dev.imagen.image.ImageFile;
import dev.imagen.job.JobFailedException;
import dev.imagen.testing.SampleImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user's own graphs, drawn by a server. */
class ComfyUiWorkflowTest extends ComfyUiTest {

    /** From text to pictures, with everything. */
    private static final String TEXT = """
            {"4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "{{model}}"}},
             "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "masterpiece, {{prompt}}, {{params.look=soft}}", "clip": ["4", 1]}},
             "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "{{negative=blurry}}", "clip": ["4", 1]}},
             "5": {"class_type": "EmptyLatentImage", "inputs": {"width": "{{width=640}}", "height": "{{height=384}}", "batch_size": "{{params.pictures=2}}"}},
             "3": {"class_type": "KSampler", "inputs": {"seed": "{{seed}}", "steps": "{{steps=4}}", "cfg": "{{params.cfg=1.5}}",
                 "sampler_name": "{{params.sampler_name=euler}}", "scheduler": "sgm_uniform", "denoise": 1, "model": ["4", 0],
                 "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}, "_meta": {"title": "{{anything}}"}},
             "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
             "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "mine/{{seed}}", "images": ["8", 0]}},
             "10": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}}""";

    /** From a picture to a picture, without seed, size and steps. */
    private static final String PICTURE = """
            {"4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dreamer_v8.safetensors"}},
             "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "{{prompt}}", "clip": ["4", 1]}},
             "1": {"class_type": "LoadImage", "inputs": {"image": "{{image}}"}},
             "5": {"class_type": "VAEEncode", "inputs": {"pixels": ["1", 0], "vae": ["4", 2]}},
             "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 2, "cfg": 1.5, "sampler_name": "euler",
                 "scheduler": "normal", "denoise": "{{strength}}", "model": ["4", 0], "positive": ["6", 0],
                 "negative": ["6", 0], "latent_image": ["5", 0]}},
             "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
             "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "mine", "images": ["8", 0]}}}""";

    /** Two samplers after each other. */
    private static final String TWO_PASSES = PICTURE.replace("\"8\":", """
            "13": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 3, "cfg": 1.5, "sampler_name": "euler",
                 "scheduler": "normal", "denoise": 0.5, "model": ["4", 0], "positive": ["6", 0],
                 "negative": ["6", 0], "latent_image": ["3", 0]}},
             "8":""");

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        Files.writeString(folder.resolve("text.json"), TEXT);
        Files.writeString(folder.resolve("picture.json"), PICTURE);
    }

    @Override
    ComfyUiBackend backend(String... models) {
        return backend(server.url(), Workflows.in(Optional.of(folder)), http, 100_000, Duration.ofSeconds(30), models);
    }

    private static ImageRequest asked(String model, Map<String, Object> params, InputPicture... input) {
        return new ImageRequest("a \"fox\" {{seed}}", Optional.empty(), model, 640, 384, 4, 7, params, 1,
                List.of(input).stream().findFirst());
    }

    private Generation generate(ImageRequest request) throws JobFailedException, InterruptedException {
        return backend().generate(request, (_, _) -> {});
    }

    @Test
    void placeholders_are_filled_with_numbers_where_they_stand_alone() throws Exception {
        var pictures = generate(asked("text", Map.of("look", "grim", "cfg", 2))).pictures();
        assertThat(pictures).hasSize(2);
        assertThat(ImageFile.read(pictures.getLast().bytes()).width()).isEqualTo(640);
        var graph = server.last().path("prompt");
        assertThat(graph.path("6").path("inputs").path("text").textValue())
                .isEqualTo("masterpiece, a \"fox\" {{seed}}, grim");
        assertThat(graph.path("7").path("inputs").path("text").textValue()).isEqualTo("blurry");
        assertThat(graph.path("5").path("inputs")).hasToString("{\"width\":640,\"height\":384,\"batch_size\":2}");
        assertThat(graph.path("3").path("inputs").toString())
                .startsWith("{\"seed\":7,\"steps\":4,\"cfg\":2,\"sampler_name\":\"euler\"");
        assertThat(graph.path("9").path("inputs").path("filename_prefix").textValue()).isEqualTo("mine/7");
        assertThat(graph.path("4").path("inputs").path("ckpt_name").textValue()).isEqualTo("dreamer_v8.safetensors");
    }

    @Test
    void the_checkpoint_of_a_workflow_that_leaves_it_open_may_be_chosen() throws Exception {
        generate(asked("text", Map.of("ckpt_name", "sdxl/painter.safetensors")));
        assertThat(server.last().path("prompt").path("4").path("inputs").path("ckpt_name").textValue())
                .isEqualTo("sdxl/painter.safetensors");
        backend("text", "sdxl/painter.safetensors").generate(asked("text", Map.of()), (_, _) -> {});
        assertThat(server.last().path("prompt").path("4").path("inputs").path("ckpt_name").textValue())
                .isEqualTo("sdxl/painter.safetensors");
    }

    @Test
    void a_picture_to_begin_with_is_loaded() throws Exception {
        var made = generate(asked("picture", Map.of(), new InputPicture(SampleImages.png(9, 9), "image/png", 0.25)));
        assertThat(made.pictures()).hasSize(1);
        var graph = server.last().path("prompt");
        assertThat(server.upload(graph.path("1").path("inputs").path("image").textValue()))
                .isEqualTo(SampleImages.png(9, 9));
        assertThat(graph.path("3").path("inputs").path("denoise").doubleValue()).isEqualTo(0.25);
    }

    @Test
    void steps_of_one_sampler_after_the_other_are_added() throws Exception {
        Files.writeString(folder.resolve("picture.json"), TWO_PASSES);
        server.drawSlowly();
        var caller = new Caller(backend(),
                asked("picture", Map.of(), new InputPicture(SampleImages.png(9, 9), "image/png", 0.25)));
        server.awaitDrawing();
        server.awaitSocket();
        for (String step : List.of("1/2", "2/2", "3/5", "4/5")) {
            server.draw(1);
            assertThat(caller.awaitStep()).isEqualTo(step);
        }
        server.drawFast();
        assertThat(caller.awaitEnd()).isNull();
    }

    @Test
    void each_workflow_tells_what_it_heeds() throws Exception {
        var backend = backend();
        var info = backend.info();
        assertThat(info.models()).containsExactly("picture", "text");
        assertThat(info.abilitiesOf("text"))
                .isEqualTo(new BackendInfo.Abilities(Set.of(Feature.NEGATIVE_PROMPT, Feature.SEED, Feature.STEPS), 4,
                        10_000, Optional.of(new Size(640, 384))));
        assertThat(info.abilitiesOf("picture"))
                .isEqualTo(new BackendInfo.Abilities(Set.of(Feature.INPUT_IMAGE, Feature.STRENGTH), 0, 0));
        assertThat(info.sizesOf("picture")).isInstanceOf(Sizes.Own.class);
        assertThat(info.parameters()).extracting(parameter -> parameter.name()).containsExactly("sampler_name",
                "scheduler", "cfg", "clip_skip", "ckpt_name", "look", "pictures");
        backend.probe();
        assertThat(backend.info().models()).containsExactly("picture", "text", "dreamer_v8.safetensors",
                "sdxl/painter.safetensors");
        assertThat(backend.info().parameters().get(4).kind())
                .isEqualTo(new Kind.Choice(List.of("dreamer_v8.safetensors", "sdxl/painter.safetensors")));
    }

    @Test
    void the_settings_say_which_is_the_default_and_which_checkpoints_there_are() throws Exception {
        var backend = backend("text");
        assertThat(backend.info().models()).containsExactly("text", "picture");
        assertThat(backend.info().offers("dreamer_v8.safetensors")).isFalse();
        backend.probe();
        assertThat(backend.info().models()).containsExactly("text", "picture");
        assertThat(backend("a.safetensors").info().models()).containsExactly("a.safetensors", "picture", "text");
    }

    @Test
    void what_a_workflow_has_no_placeholder_for_is_refused() {
        assertThat(backend().refusal(asked("text", Map.of("scheduler", "karras"))).map(Refusal::toString))
                .contains("params.scheduler is no parameter of model text: use one of ckpt_name, look, pictures, cfg,"
                        + " sampler_name");
        assertThat(backend().refusal(asked("picture", Map.of("cfg", 2))).map(Refusal::toString))
                .contains("params.cfg is no parameter of model picture, which has none");
        assertThat(backend().refusal(asked("picture", Map.of())).map(Refusal::toString))
                .contains("input_image_id must be set for model picture, which begins with a picture");
        assertThat(backend().refusal(asked("text", Map.of("look", "grim")))).isEmpty();
    }

    @Test
    void a_workflow_that_ends_without_a_picture_fails_for_good() throws Exception {
        Files.writeString(folder.resolve("text.json"),
                "{\"1\": {\"class_type\": \"SaveText\", \"inputs\": {\"text\": \"{{prompt}}\"}}}");
        assertThatThrownBy(() -> generate(asked("text", Map.of())))
                .hasMessage("backend comfyui: the prompt ended without a picture of the type output: a workflow has to"
                        + " end in Save Image (SaveImage)")
                .isInstanceOfSatisfying(JobFailedException.class, e -> assertThat(e.retryable()).isFalse());
    }

    @Test
    void more_pictures_than_can_be_held_are_not_taken() {
        assertThatThrownBy(() -> generate(asked("text", Map.of("pictures", 17))))
                .hasMessage("backend comfyui: the prompt made 17 pictures, at most 16 are taken");
    }

    @Test
    void a_node_that_the_server_does_not_have_is_named() throws Exception {
        Files.writeString(folder.resolve("text.json"),
                "{\"1\": {\"class_type\": \"SaveMagic\", \"inputs\": {\"text\": \"{{prompt}}\"}}}");
        assertThatThrownBy(() -> generate(asked("text", Map.of())))
                .hasMessageContaining("Cannot execute because node SaveMagic does not exist. Node ID '#1'");
    }
}
