package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.backend.Feature;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.InputPicture;
import dev.imagen.backend.Refusal;
import dev.imagen.image.ImageFile;
import dev.imagen.testing.SampleImages;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StandardGraphTest extends ComfyUiTest {

    @Test
    void the_usual_graph_says_all_that_the_job_does() throws Exception {
        backend(MODEL).generate(request(), (_, _) -> {});
        var id = server.last().path("prompt_id").textValue();
        assertThat(server.last().path("client_id").textValue()).isEqualTo(id);
        assertThat(server.last().path("prompt")).hasToString("""
                {"4":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"dreamer_v8.safetensors"}},\
                "6":{"class_type":"CLIPTextEncode","inputs":{"text":"a harbour at dusk","clip":["4",1]}},\
                "7":{"class_type":"CLIPTextEncode","inputs":{"text":"fog","clip":["4",1]}},\
                "5":{"class_type":"EmptyLatentImage","inputs":{"width":256,"height":384,"batch_size":1}},\
                "3":{"class_type":"KSampler","inputs":{"seed":7,"steps":20,"cfg":8.0,"sampler_name":"euler",\
                "scheduler":"normal","denoise":1.0,"model":["4",0],"positive":["6",0],"negative":["7",0],\
                "latent_image":["5",0]}},\
                "8":{"class_type":"VAEDecode","inputs":{"samples":["3",0],"vae":["4",2]}},\
                "9":{"class_type":"SaveImage","inputs":{"filename_prefix":"imagen/%s","images":["8",0]}}}"""
                .formatted(id));
    }

    @Test
    void parameters_go_into_the_nodes_that_know_them() throws Exception {
        backend(OTHER).generate(
                request(OTHER, Map.of("sampler_name", "dpmpp_2m", "scheduler", "karras", "cfg", 5.5, "clip_skip", 2)),
                (_, _) -> {});
        var sampler = server.last().path("prompt").path("3").path("inputs");
        assertThat(sampler.path("sampler_name").textValue()).isEqualTo("dpmpp_2m");
        assertThat(sampler.path("scheduler").textValue()).isEqualTo("karras");
        assertThat(sampler.path("cfg").doubleValue()).isEqualTo(5.5);
        assertThat(server.last().path("prompt").path("13").path("inputs"))
                .hasToString("{\"stop_at_clip_layer\":-2,\"clip\":[\"4\",1]}");
        assertThat(server.last().path("prompt").path("6").path("inputs").path("clip")).hasToString("[\"13\",0]");
    }

    @Test
    void a_picture_to_begin_with_is_put_onto_the_server_once_and_scaled() throws Exception {
        var picture = SampleImages.jpeg(40, 30);
        var request = new ImageRequest("a harbour", Optional.empty(), MODEL, 256, 128, 20, 7, Map.of(), 1,
                Optional.of(new InputPicture(picture, "image/jpeg", 0.6)));
        var made = backend(MODEL).generate(request, (_, _) -> {}).pictures().getFirst();
        backend(MODEL).generate(request, (_, _) -> {});
        assertThat(ImageFile.read(made.bytes()).width()).isEqualTo(256);
        assertThat(server.uploads()).containsExactly(2, 1);
        var graph = server.last().path("prompt");
        var name = graph.path("10").path("inputs").path("image").textValue();
        assertThat(name).matches("imagen/[0-9a-f-]{36}\\.jpeg");
        assertThat(server.upload(name)).isEqualTo(picture);
        assertThat(graph.path("11").path("inputs")).hasToString("{\"upscale_method\":\"lanczos\",\"width\":256,"
                + "\"height\":128,\"crop\":\"center\",\"image\":[\"10\",0]}");
        assertThat(graph.path("5").path("inputs")).hasToString("{\"pixels\":[\"11\",0],\"vae\":[\"4\",2]}");
        assertThat(graph.path("3").path("inputs").path("denoise").doubleValue()).isEqualTo(0.6);
    }

    @Test
    void what_no_graph_takes_is_refused() {
        assertThat(backend(MODEL).refusal(request(MODEL, Map.of("lora", "x"))).map(Refusal::toString)).contains(
                "params.lora is no parameter of model dreamer_v8.safetensors: use one of sampler_name, scheduler, cfg,"
                        + " clip_skip");
        assertThat(backend()
                .refusal(new ImageRequest("a", Optional.empty(), "unknown.safetensors", 250, 256, 20, 7, Map.of())))
                .map(Refusal::toString).contains("width must be a multiple of 8 for backend comfyui");
        assertThat(backend(MODEL).info().can(Feature.INPUT_IMAGE)).isTrue();
    }
}
