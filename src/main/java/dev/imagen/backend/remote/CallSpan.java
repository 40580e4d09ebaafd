package dev.imagen.backend.remote;

import dev.imagen.job.JobFailedException;
import dev.imagen.trace.Spans;
import io.opentelemetry.api.trace.SpanKind;
import java.net.URI;
import java.net.http.HttpRequest;

/**
 * What a trace tells of a call. Of the URL only the server, since the rest may hold secrets; and the server is told
 * nothing of the trace.
 */
final class CallSpan {

    private CallSpan() {}

    static Answer around(HttpRequest request, Spans.Work<Answer, JobFailedException> call)
            throws JobFailedException, InterruptedException {
        var span = Spans.begin(request.method(), SpanKind.CLIENT).setAttribute("http.request.method", request.method())
                .setAttribute("server.address", request.uri().getHost())
                .setAttribute("server.port", port(request.uri()));
        return Spans.in(span, () -> {
            var answer = call.run();
            span.setAttribute("http.response.status_code", answer.status());
            if (answer.status() >= 400) {
                Spans.failed(span, String.valueOf(answer.status()));
            }
            return answer;
        });
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
    }
}
