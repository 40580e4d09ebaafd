package dev.imagen.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.MockBackend;
import dev.imagen.job.NewJob;
import dev.imagen.testing.PngFile;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PngMetadataTest {

    private static final UUID INPUT = UUID.fromString("550e8400-e29b-41d4-a716-446655440000");

    private static byte[] png;

    @BeforeAll
    static void paint() throws Exception {
        var request = new ImageRequest("a lake", Optional.empty(), "mock-landscape", 64, 48, 20, 1, Map.of());
        png = new MockBackend(Duration.ZERO, 0).generate(request, (_, _) -> {}).pictures().getFirst().bytes();
    }

    @Test
    void two_texts_go_before_the_image_data() {
        var file = PngFile.read(added(png, plain("a lake")));

        assertThat(file.types()).containsExactly("IHDR", "PLTE", "tEXt", "tEXt", "IDAT", "IEND");
        assertThat(file.texts()).extracting(PngFile.Text::keyword).containsExactly("parameters", "imagen");
    }

    @Test
    void the_image_data_stays_byte_for_byte() {
        var written = added(png, plain("a lake"));

        assertThat(PngFile.read(written).imageData()).isEqualTo(PngFile.read(png).imageData());
        assertThat(PngFile.pixels(written)).isEqualTo(PngFile.pixels(png));
    }

    @Test
    void parameters_are_in_the_form_of_the_web_ui() {
        assertThat(parameters(full())).isEqualTo("""
                oil painting of a lake: calm, at dawn
                Negative prompt: people, blurry
                Steps: 20, Seed: 9007199254740991, Size: 64x48, Model: mock-landscape, Version: ImaGen""");
    }

    @Test
    void what_means_nothing_to_the_backend_is_not_told() throws Exception {
        var parameters = new GenerationParameters(NewJob.of("a lake"), "a lake", Optional.empty(), "openai", "m", 64,
                48, Optional.empty(), Optional.empty(), Optional.empty());
        assertThat(parameters(parameters)).isEqualTo("a lake\nSize: 64x48, Model: m, Version: ImaGen");
        assertThat(imagen(parameters).has("seed")).isFalse();
        assertThat(imagen(parameters).has("steps")).isFalse();
    }

    @Test
    void without_a_negative_prompt_there_is_no_line_for_it() {
        var expected = "a lake\nSteps: 20, Seed: 1, Size: 64x48, Model: m, Version: ImaGen";

        assertThat(parameters(plain("a lake"))).isEqualTo(expected);
        assertThat(parameters(new GenerationParameters(NewJob.of("a lake"), "a lake", Optional.of(""), "mock", "m", 64,
                48, Optional.of(20), Optional.of(1L), Optional.empty()))).isEqualTo(expected);
    }

    @Test
    void a_value_with_a_separator_is_quoted_as_json() {
        assertThat(parameters(model("flux:dev"))).contains(", Model: \"flux:dev\", ");
        assertThat(parameters(model("one, two"))).contains(", Model: \"one, two\", ");
        assertThat(parameters(model("say \"hi\",\nü"))).contains(", Model: \"say \\\"hi\\\",\\nü\", ");
        assertThat(parameters(model("say \"hi\""))).contains(", Model: say \"hi\", ");
    }

    @Test
    void imagen_holds_the_job_as_the_user_wrote_it() throws Exception {
        assertThat(imagen(full())).isEqualTo(new ObjectMapper().readTree("""
                {"prompt": "a lake", "negative_prompt": "people", "style": "oil", "backend": "mock",
                 "model": "mock-landscape", "width": 64, "height": 48, "steps": 20, "seed": 9007199254740991,
                 "params": {"cfg_scale": 7.5, "hires": null, "sampler": "Euler a"}, "strength": 0.75,
                 "input_image_id": "550e8400-e29b-41d4-a716-446655440000",
                 "prompt_sent": "oil painting of a lake: calm, at dawn", "negative_prompt_sent": "people, blurry"}"""));
    }

    @Test
    void imagen_leaves_out_what_the_job_did_not_have() throws Exception {
        assertThat(imagen(plain("a lake")).fieldNames()).toIterable().containsExactly("prompt", "backend", "model",
                "width", "height", "steps", "seed", "prompt_sent");
    }

    @Test
    void any_script_survives() throws Exception {
        var prompt = "🌄 بحيرة عند الفجر, 湖";
        var file = PngFile.read(added(png, plain(prompt)));

        assertThat(file.types()).containsExactly("IHDR", "PLTE", "iTXt", "iTXt", "IDAT", "IEND");
        assertThat(parameters(plain(prompt))).startsWith(prompt + "\nSteps: 20, ");
        assertThat(imagen(plain(prompt)).path("prompt").textValue()).isEqualTo(prompt);
    }

    @Test
    void latin_text_stays_plain() {
        var texts = PngFile.read(added(png, plain("ein See bei Zürich, ½ Mond"))).texts();

        assertThat(texts).extracting(PngFile.Text::type).containsExactly("tEXt", "tEXt");
        assertThat(texts.getFirst().value()).startsWith("ein See bei Zürich, ½ Mond\n");
    }

    @Test
    void a_prompt_with_a_nul_still_gives_readable_texts() {
        assertThat(parameters(plain("a\0 lake"))).startsWith("a lake\nSteps");
        assertThat(text("imagen", plain("a\0 lake"))).doesNotContain("\0");
    }

    @Test
    void a_broken_png_is_rejected() {
        assertThatThrownBy(() -> added(Arrays.copyOf(png, png.length / 2), plain("a lake")))
                .isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("Broken PNG: ");
        assertThatThrownBy(() -> added(new byte[100], plain("a lake"))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("Not a PNG: ");
    }

    private static byte[] added(byte[] png, GenerationParameters parameters) {
        return PngMetadata.add(png, parameters).joined();
    }

    private static String parameters(GenerationParameters parameters) {
        return text("parameters", parameters);
    }

    private static JsonNode imagen(GenerationParameters parameters) throws Exception {
        return new ObjectMapper().readTree(text("imagen", parameters));
    }

    private static String text(String keyword, GenerationParameters parameters) {
        return PngFile.read(added(png, parameters)).texts().stream().filter(text -> text.keyword().equals(keyword))
                .findFirst().orElseThrow().value();
    }

    private static GenerationParameters full() {
        var params = new TreeMap<String, Object>(Map.of("sampler", "Euler a", "cfg_scale", new BigDecimal("7.5")));
        params.put("hires", null);
        var job = new NewJob("a lake", Optional.of("people"), Optional.empty(), Optional.empty(), Optional.of("oil"),
                Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 0, Optional.empty(), 3, params,
                2, Optional.of(INPUT), Optional.empty());
        return new GenerationParameters(job, "oil painting of a lake: calm, at dawn", Optional.of("people, blurry"),
                "mock", "mock-landscape", 64, 48, Optional.of(20), Optional.of((1L << 53) - 1), Optional.of(0.75));
    }

    private static GenerationParameters plain(String prompt) {
        return parameters(prompt, "m");
    }

    private static GenerationParameters model(String model) {
        return parameters("a lake", model);
    }

    private static GenerationParameters parameters(String prompt, String model) {
        return new GenerationParameters(NewJob.of(prompt), prompt, Optional.empty(), "mock", model, 64, 48,
                Optional.of(20), Optional.of(1L), Optional.empty());
    }
}
