package dev.imagen.backend.comfyui;

import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where something of the job goes into a workflow: <code>{{prompt}}</code>, or <code>{{steps=8}}</code> with what is
 * taken where the job says nothing.
 *
 * @param usual what that is, as it is written
 */
record Placeholder(String name, Optional<String> usual) {

    private static final Pattern PATTERN = Pattern.compile("\\{\\{\\s*([A-Za-z_][A-Za-z0-9_.]*)\\s*(?:=([^{}]*))?}}");

    /** Before the name of a parameter. */
    private static final String PARAMS = "params.";

    private static Placeholder of(MatchResult found) {
        return new Placeholder(found.group(1), Optional.ofNullable(found.group(2)).map(String::strip));
    }

    /** Those in a text. */
    static Stream<Placeholder> in(String text) {
        return PATTERN.matcher(text).results().map(Placeholder::of);
    }

    /** The one that a text is, and nothing else. */
    static Optional<Placeholder> alone(String text) {
        return Optional.of(PATTERN.matcher(text.strip())).filter(Matcher::matches).map(Placeholder::of);
    }

    /** The text with other texts in their place, which are not looked at again. @param values by name */
    static String replaced(String text, UnaryOperator<String> values) {
        return PATTERN.matcher(text).replaceAll(found -> Matcher.quoteReplacement(values.apply(found.group(1))));
    }

    /** The one for a parameter has this name. */
    static String nameOf(String parameter) {
        return PARAMS + parameter;
    }

    /** The parameter that it is for; empty: it is for a field of the job. */
    Optional<String> parameter() {
        return name.startsWith(PARAMS) ? Optional.of(name.substring(PARAMS.length())) : Optional.empty();
    }

    @Override
    public String toString() {
        return "{{" + name + usual.map(value -> "=" + value).orElse("") + "}}";
    }
}
