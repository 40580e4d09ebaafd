package dev.imagen.backend.remote;

import java.util.regex.Pattern;

/** The progress bars that most models print: {@code 25%|██▌       | 7/28 [00:02<00:06, 3.1it/s]}. */
public final class ProgressBar {

    private static final Pattern BAR = Pattern.compile("\\d{1,3}%\\|[^|\r\n]*\\|\\s*(\\d{1,6})/(\\d{1,6})");

    private ProgressBar() {}

    /** Steps that a bar of so many tells of; 0: there is none, since others are of other work. */
    public static int step(String logs, int steps) {
        return BAR.matcher(logs).results().filter(bar -> Integer.parseInt(bar.group(2)) == steps)
                .mapToInt(bar -> Math.min(Integer.parseInt(bar.group(1)), steps)).max().orElse(0);
    }
}
