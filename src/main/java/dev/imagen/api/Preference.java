package dev.imagen.api;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The {@code Prefer} header (RFC 7240); what is not understood is ignored, as the RFC has it. */
final class Preference {

    static final HeaderName APPLIED = HeaderNames.create("Preference-Applied");

    private static final HeaderName PREFER = HeaderNames.create("Prefer");
    private static final Pattern WAIT = Pattern.compile("\\s*wait\\s*=\\s*\"?(\\d{1,6})\"?\\s*(;.*)?",
            Pattern.CASE_INSENSITIVE);
    private static final long LONGEST_SECONDS = 60;

    private Preference() {}

    /** How long the caller will wait for the result, at most 60 s. */
    static Optional<Duration> wait(ServerRequest request) {
        return request.headers().values(PREFER).stream().map(value -> List.of(value.split(","))).flatMap(List::stream)
                .map(WAIT::matcher).filter(Matcher::matches).map(match -> Long.parseLong(match.group(1)))
                .filter(seconds -> seconds > 0).findFirst()
                .map(seconds -> Duration.ofSeconds(Math.min(seconds, LONGEST_SECONDS)));
    }
}
