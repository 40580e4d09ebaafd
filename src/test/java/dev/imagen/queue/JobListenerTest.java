package dev.imagen.queue;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Any database user can notify, so a payload may be anything. */
class JobListenerTest {

    private static final String ID = "0f0f0f0f-0000-4000-8000-00000000000a";

    @Test
    void all_ids_of_a_payload_are_found() {
        var other = UUID.randomUUID();
        assertThat(JobListener.ids(ID + "," + other)).containsExactlyInAnyOrder(UUID.fromString(ID), other);
        assertThat(JobListener.ids(ID.toUpperCase(Locale.ROOT))).containsExactly(UUID.fromString(ID));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ",", "x", "------------------------------------",
            "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "0f0f0f0f-0000-4000-8000-00000000000",
            "0f0f0f0-f0000-4000-8000-00000000000a", "0f0f0f0f-0000-4000-8000-00000000000a0", "😀"})
    void what_is_no_id_is_left_out(String payload) {
        assertThat(JobListener.ids(payload)).isEmpty();
        assertThat(JobListener.ids(payload + "," + ID)).containsExactly(UUID.fromString(ID));
    }
}
