package dev.imagen.api;

import dev.imagen.database.DatabaseException;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.HttpException;
import io.helidon.http.Method;
import io.helidon.http.NotFoundException;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.util.List;

/** Turns whatever ends a request early into problem details. */
final class Problems {

    private static final System.Logger LOG = System.getLogger(Problems.class.getName());

    private static final Status PAYMENT_REQUIRED = Status.create(402, "Payment Required");

    private Problems() {}

    static void register(HttpRouting.Builder routing) {
        routing.error(ProblemException.class, (request, response, e) -> send(request, response, e.problem()));
        routing.error(DatabaseException.class, (request, response, e) -> send(request, response, problem(e)));
        routing.error(NotFoundException.class, (request, response, _) -> send(request, response,
                new Problem(Status.NOT_FOUND_404, "there is no " + called(request) + "; see /openapi", List.of())));
        routing.error(HttpException.class, (request, response, e) -> send(request, response,
                new Problem(e.status(), String.valueOf(e.getMessage()), List.of())));
        routing.error(UncheckedIOException.class, (_, _, e) -> {
            // Nobody is left to answer.
            throw new CloseConnectionException("the client went away", e);
        });
        routing.error(Throwable.class, (request, response, e) -> {
            LOG.log(Level.ERROR, called(request) + " failed", e);
            send(request, response, new Problem(Status.INTERNAL_SERVER_ERROR_500,
                    "the server failed at this request; its log says why", List.of()));
        });
    }

    /** From the prologue: a request that no route took has no routed path. */
    private static String called(ServerRequest request) {
        return request.prologue().method() + " " + request.prologue().uriPath().path();
    }

    /** What the database refuses is the caller's to change; anything else is ours, and passes. */
    private static Problem problem(DatabaseException e) {
        if (e.state().equals("PT409")) {
            return new Problem(Status.CONFLICT_409, e.serverMessage(), List.of());
        }
        if (e.state().equals("42501")) {
            return new Problem(Status.FORBIDDEN_403, e.serverMessage(), List.of());
        }
        if (e.state().equals("PT402")) {
            return new Problem(PAYMENT_REQUIRED,
                    e.serverMessage() + "; wait for the next month, or ask whoever runs this" + " service for more",
                    List.of());
        }
        if (e.state().equals("PT429")) {
            return new Problem(Status.TOO_MANY_REQUESTS_429,
                    e.serverMessage() + "; wait until some have run, or cancel some", List.of());
        }
        if (e.refused()) {
            return new Problem(Problem.UNPROCESSABLE,
                    e.constraint().map(name -> "violates " + name).orElse(e.serverMessage()), List.of());
        }
        LOG.log(Level.WARNING, "a request got no answer from the database: {0}", e.getMessage());
        return new Problem(Status.SERVICE_UNAVAILABLE_503, "the database does not answer now; try again in a moment",
                List.of());
    }

    /** The headers that were set before the request failed are gone. */
    private static void send(ServerRequest request, ServerResponse response, Problem problem) {
        response.status(problem.status());
        AnswerHeaders.set(response.headers());
        Framing.announceEnd(request.headers(), response.headers());
        Origins.setFor(request, response.headers());
        response.headers().set(HeaderNames.CACHE_CONTROL, "no-store");
        response.headers().set(HeaderNames.CONTENT_TYPE, Problem.MEDIA_TYPE);
        int status = problem.status().code();
        if (status == Status.SERVICE_UNAVAILABLE_503.code()) {
            response.headers().set(HeaderNames.RETRY_AFTER, "2");
        } else if (status == Status.TOO_MANY_REQUESTS_429.code()) {
            response.headers().set(HeaderNames.RETRY_AFTER, "5");
        }
        problem.headers().forEach((name, value) -> response.headers().set(name, value));
        if (request.prologue().method().equals(Method.HEAD)) {
            // With a body the client would take that for its next answer.
            response.send();
        } else {
            response.send(Json.bytes(problem.json()));
        }
    }

    /** For what fails before routing: a bad request line, a body over the limit. */
    static DirectHandlers beforeRouting() {
        var handlers = DirectHandlers.builder();
        DirectHandler handler = (_, _, status, headers, message) -> response(status, headers, message);
        for (var type : DirectHandler.EventType.values()) {
            handlers.addHandler(type, handler);
        }
        // What fails in routing is answered above: this is a request that cannot even be read.
        handlers.addHandler(DirectHandler.EventType.INTERNAL_ERROR,
                (_, _, _, headers, _) -> response(Status.BAD_REQUEST_400, headers, "the request is no valid HTTP"));
        return handlers.build();
    }

    private static DirectHandler.TransportResponse response(Status status, ServerResponseHeaders headers,
            String message) {
        AnswerHeaders.set(headers);
        headers.set(HeaderNames.CACHE_CONTROL, "no-store");
        headers.set(HeaderNames.CONTENT_TYPE, Problem.MEDIA_TYPE);
        return DirectHandler.TransportResponse.builder().status(status).headers(headers)
                .entity(Json.bytes(new Problem(status, detail(status, message), List.of()).json())).build();
    }

    private static String detail(Status status, String message) {
        if (status.code() >= 500) {
            return "the server failed at this request; its log says why";
        }
        // Helidon's further lines are a dump of what it read; of a long body it says nothing.
        return message == null || message.isBlank()
                ? "the body is longer than any that is taken here"
                : message.lines().findFirst().orElse("");
    }
}
