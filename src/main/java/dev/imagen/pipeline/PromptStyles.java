package dev.imagen.pipeline;

import dev.imagen.config.Style;
import dev.imagen.job.NewJob;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Puts a style's words around a prompt. */
public final class PromptStyles {

    static final Style NONE = new Style("", "", "", Optional.empty(), Optional.empty());

    private final SortedMap<String, Style> styles;

    /** The styles of the settings. */
    public PromptStyles(Map<String, Style> styles) {
        this.styles = new TreeMap<>(styles);
    }

    /** All styles by name. */
    public SortedMap<String, Style> all() {
        return styles;
    }

    /** What a client may do about a name that is not among them. */
    public String unknown(String name) {
        return "\"" + name + "\" is unknown: use one of " + String.join(", ", styles.keySet());
    }

    /** The style of a job; empty for a name that is not among them. */
    Optional<Style> find(NewJob job) {
        return job.style().isEmpty() ? Optional.of(NONE) : job.style().map(styles::get);
    }

    static String prompt(Style style, String prompt) {
        return style.prefix() + prompt + style.suffix();
    }

    static Optional<String> negativePrompt(Style style, Optional<String> negativePrompt) {
        var joined = Stream.concat(negativePrompt.stream(), Stream.of(style.negative())).filter(s -> !s.isBlank())
                .collect(Collectors.joining(", "));
        return Optional.of(joined).filter(s -> !s.isEmpty());
    }
}
