package dev.imagen.testing;

import com.google.protobuf.ByteString;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status.StatusCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A collector of traces: OTLP over HTTP in protobuf, at {@code /v1/traces}, and nothing else. */
public final class OtlpCollector implements AutoCloseable {

    /** One span as it arrived; ids in hexadecimal, {@code parent} empty where there is none. */
    public record Seen(String trace, String id, String parent, String name, Span.SpanKind kind, boolean failed,
            Map<String, Object> attributes, List<String> events) {}

    private final HttpServer server;
    private final List<byte[]> bodies = new CopyOnWriteArrayList<>();
    private final List<String> refused = new CopyOnWriteArrayList<>();

    private OtlpCollector() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    /** One that listens. */
    public static OtlpCollector start() throws IOException {
        return new OtlpCollector();
    }

    /** What {@code tracing.endpoint} is to be. */
    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            var asked = exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                    + exchange.getRequestHeaders().getFirst("Content-Type");
            if (asked.equals("POST /v1/traces application/x-protobuf")) {
                bodies.add(body);
                ContractServer.send(exchange, 200, "application/x-protobuf", new byte[0]);
            } else {
                refused.add(asked);
                ContractServer.send(exchange, 404, "text/plain", new byte[0]);
            }
        }
    }

    /** All that was sent, a byte a character. */
    public String bytes() {
        return bodies.stream().map(body -> new String(body, StandardCharsets.ISO_8859_1)).collect(Collectors.joining());
    }

    /** All spans, in the order of their beginning. */
    public List<Seen> spans() {
        if (!refused.isEmpty()) {
            throw new AssertionError("no OTLP: " + refused);
        }
        return requests().flatMap(request -> request.getResourceSpansList().stream())
                .flatMap(resource -> resource.getScopeSpansList().stream())
                .flatMap(scope -> scope.getSpansList().stream())
                .sorted((one, other) -> Long.compare(one.getStartTimeUnixNano(), other.getStartTimeUnixNano()))
                .map(OtlpCollector::seen).toList();
    }

    /** What sent them. */
    public Map<String, Object> resource() {
        return attributes(requests().findFirst().orElseThrow().getResourceSpans(0).getResource().getAttributesList());
    }

    private Stream<ExportTraceServiceRequest> requests() {
        return bodies.stream().map(body -> {
            try {
                return ExportTraceServiceRequest.parseFrom(body);
            } catch (IOException e) {
                throw new AssertionError("no OTLP", e);
            }
        });
    }

    private static Seen seen(Span span) {
        return new Seen(hex(span.getTraceId()), hex(span.getSpanId()), hex(span.getParentSpanId()), span.getName(),
                span.getKind(), span.getStatus().getCode() == StatusCode.STATUS_CODE_ERROR,
                attributes(span.getAttributesList()), span.getEventsList().stream().map(Span.Event::getName).toList());
    }

    private static String hex(ByteString id) {
        return HexFormat.of().formatHex(id.toByteArray());
    }

    private static Map<String, Object> attributes(List<KeyValue> list) {
        return list.stream().collect(Collectors.toMap(KeyValue::getKey, entry -> value(entry.getValue())));
    }

    private static Object value(AnyValue value) {
        return switch (value.getValueCase()) {
            case INT_VALUE -> value.getIntValue();
            case DOUBLE_VALUE -> value.getDoubleValue();
            default -> value.getStringValue();
        };
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
