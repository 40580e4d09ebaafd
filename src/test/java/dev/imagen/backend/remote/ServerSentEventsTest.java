package dev.imagen.backend.remote;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServerSentEventsTest {

    private static List<String> read(String stream, int atOnce) {
        var events = new ArrayList<String>();
        var reader = new ServerSentEvents(data -> events.add(new String(data, UTF_8)));
        byte[] bytes = stream.getBytes(UTF_8);
        for (int i = 0; i < bytes.length; i += atOnce) {
            reader.take(Arrays.copyOfRange(bytes, i, Math.min(bytes.length, i + atOnce)));
        }
        return events;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 1000})
    void events_come_however_the_bytes_arrive(int atOnce) {
        var stream = "event: a\ndata: first\n\n: a comment\n\ndata:{\"ü\": 1}\nid: 7\n\ndata\n\nretry: 9\n\ndata:  two\ndata: lines\n\n";
        for (String end : List.of("\n", "\r", "\r\n")) {
            assertThat(read(stream.replace("\n", end), atOnce)).containsExactly("first", "{\"ü\": 1}", "",
                    " two\nlines");
        }
    }

    @Test
    void an_event_that_does_not_end_counts_for_nothing() {
        assertThat(read("data: a\n\ndata: b\n", 100)).containsExactly("a");
    }

    @Test
    void other_fields_are_no_data() {
        assertThat(read("datax: a\nDATA: b\n data: c\n\n", 100)).isEmpty();
    }

    @Test
    void a_byte_order_mark_may_come_first_and_nowhere_else() {
        assertThat(read("\uFEFFdata: a\n\n\uFEFFdata: b\n\n", 2)).containsExactly("a");
    }
}
