package dev.imagen.backend.comfyui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.backend.Feature;
import dev.imagen.backend.Parameter.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WorkflowsTest {

    private static final String SETTING = "backends.comfyui.workflows (BACKENDS_COMFYUI_WORKFLOWS)";

    @TempDir
    private Path folder;

    private Workflows read(String name, String json) throws IOException {
        Files.writeString(folder.resolve(name), json);
        return Workflows.in(Optional.of(folder));
    }

    /** A graph of two nodes: the one with these inputs, and one that keeps its pictures. */
    private static String graph(String inputs) {
        return """
                {"1": {"class_type": "Draw", "inputs": {%s}},
                 "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}}"""
                .formatted(inputs);
    }

    private Workflow workflow(String inputs) throws IOException {
        return read("flow.json", graph(inputs)).find("flow").orElseThrow();
    }

    @Test
    void each_file_is_a_model_by_its_name() throws Exception {
        read("flux-dev.json", graph("\"text\": \"{{prompt}}\""));
        read("readme.txt", "nothing");
        var workflows = read("SDXL_hires.v2.json", graph("\"text\": \"{{prompt}}\""));
        assertThat(workflows.all()).extracting(Workflow::name).containsExactly("SDXL_hires.v2", "flux-dev");
        assertThat(Workflows.in(Optional.empty()).all()).isEmpty();
    }

    @Test
    void what_it_has_placeholders_for_is_what_a_job_may_set() throws Exception {
        var plain = workflow("\"text\": \"{{prompt}}\"");
        assertThat(plain.features()).isEmpty();
        assertThat(plain.takes(Workflow.WIDTH)).isFalse();
        var all = workflow("\"a\": \"{{prompt}}, {{negative}}\", \"b\": [\"{{seed}}\", {\"c\": \"{{image}}\"}],"
                + " \"steps\": \"{{steps=8}}\", \"w\": \"{{width=1216}}\", \"h\": \"{{ height = 832 }}\"");
        assertThat(all.features()).containsExactlyInAnyOrder(Feature.NEGATIVE_PROMPT, Feature.SEED, Feature.STEPS,
                Feature.INPUT_IMAGE);
        assertThat(all.usual(Workflow.STEPS)).contains(8);
        assertThat(all.usual(Workflow.WIDTH)).contains(1216);
        assertThat(all.usual(Workflow.HEIGHT)).contains(832);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {{params.lora_strength=0.8}} | 0.8    | Decimal
            {{params.layers=-2}}         | -2     | Whole
            {{params.tiled=true}}        | true   | Flag
            {{params.look=soft light}}   | "soft light" | Text
            {{params.cfg=3}}             | 3      | Decimal
            {{params.sampler_name=euler}} | "euler" | Text
            """)
    void a_parameter_is_of_the_kind_of_its_value(String placeholder, String usual, String kind) throws Exception {
        var parameters = workflow("\"text\": \"{{prompt}}\", \"x\": \"" + placeholder + "\"").parameters();
        assertThat(parameters).hasSize(1);
        assertThat(parameters.getFirst().usual()).hasToString(usual);
        assertThat(parameters.getFirst().parameter().kind().getClass().getSimpleName()).isEqualTo(kind);
    }

    @Test
    void parameters_of_all_workflows_are_offered_together() throws Exception {
        read("a.json", graph("\"text\": \"{{prompt}}\", \"x\": \"{{params.look=soft}}\""));
        var both = read("b.json", graph("\"text\": \"{{prompt}}\", \"x\": \"{{params.look=hard}} {{params.n=1}}\""));
        assertThat(both.parameters()).extracting(parameter -> parameter.name()).containsExactly("look", "n");
        assertThat(both.parameters()).first().extracting(parameter -> parameter.kind()).isEqualTo(new Kind.Text(1000));
        assertThatThrownBy(() -> read("c.json", graph("\"text\": \"{{prompt}}\", \"x\": \"{{params.n=0.5}}\"")))
                .hasMessage(SETTING + " has two workflows with {{params.n=…}}, whose values are of different kinds:"
                        + " give one of them another name");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"1":                                  | is no JSON: Unexpected end-of-input
            []                                     | is no JSON object of nodes
            {}                                     | is no JSON object of nodes
            {"nodes": [], "links": []}             | is in the format of ComfyUI's editor: export it in the other one, by File, Export (API), in older versions Save (API Format)
            {"prompt": {"1": {}}}                  | has the node prompt without class_type and inputs, and so is not in ComfyUI's format for the API
            {"1": {"class_type": "VAEDecode", "inputs": {"samples": ["7", 0]}}} | has the node 1 whose samples comes from the node 7, which is not there
            {"1": {"class_type": "KSampler", "inputs": {}}, "2": {"class_type": "VAEDecode", "inputs": {"samples": ["1", 0]}}} | has no output node: it ends in VAEDecode, of which no picture is kept; add the node Save Image (SaveImage)
            {"1": {"class_type": "PreviewImage", "inputs": {}}} | has no output node: it ends in PreviewImage
            {"1": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}} | has no output node: it ends in a circle
            """)
    void what_is_no_workflow_is_refused_with_its_file(String json, String message) {
        assertThatThrownBy(() -> read("flow.json", json)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(SETTING + ": flow.json " + message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {{promt}}              | has the placeholder {{promt}}, which is unknown: use one of {{height}}, {{image}}, {{model}}, {{negative}}, {{prompt}}, {{seed}}, {{steps}}, {{strength}}, {{width}} or one for a parameter, such as {{params.lora_strength=0.8}}
            a fox                  | has no {{prompt}}, so what a job asks for would change nothing: put it where the text of a node is
            {{prompt}} {{width}}   | has one of {{width}} and {{height}}: it needs both or none
            {{prompt}} {{strength}} | has {{strength}}, which means nothing without {{image}}
            {{prompt}} {{seed=7}}  | has {{seed=7}}, but the job always has that: use {{seed}}
            {{prompt}} {{steps=0}} | has {{steps=0}}, where the value must be a whole number from 1 to 10000
            {{prompt}} {{steps=x}} | has {{steps=x}}, where the value must be a whole number from 1 to 10000
            {{prompt}} {{height=9}} {{width}} | has {{height=9}}, where the value must be a whole number from 16 to 8192
            {{prompt}} {{steps=4}} {{steps=8}} | has {{steps=4}} and {{steps=8}}: say what is usual once
            {{prompt}} {{params.x}} | has {{params.x}} without what is taken where a job does not set it: write {{params.x=VALUE}}
            {{prompt}} {{params.X=1}} | has {{params.X=1}}: a parameter's name is of small letters, digits and underscores
            {{prompt}} {{params.cfg=high}} | has {{params.cfg=high}}, where the value must be a number from 0.0 to 100.0
            {{prompt}} {{params.ckpt_name=x}} | has {{params.ckpt_name=x}}: use {{model}}
            """)
    void a_placeholder_that_cannot_be_filled_is_refused(String text, String message) {
        assertThatThrownBy(() -> workflow("\"text\": \"" + text + "\"")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(SETTING + ": flow.json " + message);
    }

    @ParameterizedTest
    @CsvSource({"my flow.json, has a name that jobs could not use as their model",
            "dreamer.safetensors.json, has the name of a checkpoint before .json"})
    void a_name_that_is_none_for_a_model_is_refused(String file, String message) {
        assertThatThrownBy(() -> read(file, graph("\"text\": \"{{prompt}}\"")))
                .hasMessageStartingWith(SETTING + ": " + file + " " + message);
    }

    @Test
    void a_folder_without_workflows_is_refused() {
        assertThatThrownBy(() -> Workflows.in(Optional.of(folder)))
                .hasMessage(SETTING + " names the folder " + folder + ", which has 0 files *.json, must have 1 to 100");
        assertThatThrownBy(() -> Workflows.in(Optional.of(folder.resolve("none")))).hasMessageStartingWith(
                SETTING + " names the folder " + folder.resolve("none") + ", which cannot be read");
    }

    @ParameterizedTest
    @ValueSource(strings = {"WAS_Image_Save", "ETN_SendImage", "SaveImageAdvanced"})
    void a_node_of_others_may_keep_pictures(String name) throws Exception {
        var read = read("flow.json",
                "{\"1\": {\"class_type\": \"" + name + "\", \"inputs\": {\"x\": \"{{prompt}}\"}}}");
        assertThat(read.find("flow")).isPresent();
    }
}
