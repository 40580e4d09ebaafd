package dev.imagen.backend.comfyui;

import dev.imagen.backend.Parameter;
import dev.imagen.backend.comfyui.Workflow.WorkflowParameter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** The workflows of a folder, by the names that jobs ask for them by: those of their files without .json. */
final class Workflows {

    private static final String SETTING = "backends.comfyui.workflows (BACKENDS_COMFYUI_WORKFLOWS)";
    private static final String ENDING = ".json";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    /** Which files ComfyUI takes for checkpoints: so none of them can have a workflow's name. */
    private static final Pattern CHECKPOINT = Pattern
            .compile("(?i).*\\.(ckpt|pt|pt2|bin|pth|safetensors|pkl|sft|gguf)");

    private static final long MOST_BYTES = 4 * 1024 * 1024;
    private static final int MOST_FILES = 100;

    private final Map<String, Workflow> byName;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();

    private Workflows(Map<String, Workflow> byName) {
        this.byName = byName;
        byName.values().forEach(workflow -> workflow.parameters().forEach(this::add));
    }

    /**
     * Reads all files *.json of a folder.
     *
     * @param folder none: there are no workflows
     * @throws IllegalArgumentException naming the setting, the file, and what is wrong with it
     */
    static Workflows in(Optional<Path> folder) {
        var byName = new TreeMap<String, Workflow>();
        for (Path file : folder.map(Workflows::files).orElse(List.of())) {
            var fileName = file.getFileName().toString();
            try {
                var name = name(fileName.substring(0, fileName.length() - ENDING.length()));
                byName.put(name, WorkflowReader.read(name, bytes(file)));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(SETTING + ": " + fileName + " " + e.getMessage(), e);
            }
        }
        return new Workflows(byName);
    }

    private static List<Path> files(Path folder) {
        try (var all = Files.list(folder)) {
            var files = all.filter(file -> file.getFileName().toString().endsWith(ENDING) && Files.isRegularFile(file))
                    .sorted().toList();
            if (files.isEmpty() || files.size() > MOST_FILES) {
                throw new IllegalArgumentException(SETTING + " names the folder " + folder + ", which has "
                        + files.size() + " files *.json, must have 1 to " + MOST_FILES);
            }
            return files;
        } catch (IOException e) {
            throw new IllegalArgumentException(SETTING + " names the folder " + folder
                    + ", which cannot be read: make it readable for this process", e);
        }
    }

    private static String name(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("has a name that jobs could not use as their model: before .json it must"
                    + " be 1 to 100 letters, digits, dots, hyphens and underscores");
        }
        if (CHECKPOINT.matcher(name).matches()) {
            throw new IllegalArgumentException("has the name of a checkpoint before .json: give it another");
        }
        return name;
    }

    private static byte[] bytes(Path file) {
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new IllegalArgumentException(
                        "has " + Files.size(file) + " bytes, must have at most " + MOST_BYTES);
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot be read: make it readable for this process", e);
        }
    }

    private void add(WorkflowParameter added) {
        var parameter = added.parameter();
        var known = parameters.putIfAbsent(parameter.name(), parameter);
        if (known != null && !known.kind().equals(parameter.kind())) {
            throw new IllegalArgumentException(SETTING + " has two workflows with {{params." + parameter.name()
                    + "=…}}, whose values are of different kinds: give one of them another name");
        }
    }

    Collection<Workflow> all() {
        return byName.values();
    }

    Optional<Workflow> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /** Of all workflows together. */
    Collection<Parameter> parameters() {
        return parameters.values();
    }
}
