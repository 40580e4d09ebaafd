package dev.imagen.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.testing.LogRecords;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.IOException;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlainWarningsTest {

    /** Sends nothing anywhere. */
    private static final class Broken implements SpanExporter {
        @Override
        public CompletableResultCode export(Collection<SpanData> spans) {
            return CompletableResultCode.ofExceptionalFailure(new IOException("broken on purpose"));
        }

        @Override
        public CompletableResultCode flush() {
            return CompletableResultCode.ofSuccess();
        }

        @Override
        public CompletableResultCode shutdown() {
            return CompletableResultCode.ofSuccess();
        }
    }

    @Test
    void a_collector_that_stays_away_is_told_of_once() {
        try (var log = LogRecords.of("dev.imagen.trace");
                var exporter = new PlainWarnings(new Broken(), URI.create("http://collector"))) {
            for (int i = 0; i < 3; i++) {
                assertThat(exporter.export(List.of()).isSuccess()).isFalse();
            }
            assertThat(log.warnings()).containsExactly("0 spans did not reach http://collector, check tracing.endpoint"
                    + " (TRACING_ENDPOINT): java.io.IOException: broken on purpose");
        }
    }
}
