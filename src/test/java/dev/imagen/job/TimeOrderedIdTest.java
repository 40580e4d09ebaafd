package dev.imagen.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TimeOrderedIdTest {

    @Test
    void an_id_is_of_version_7_and_begins_with_the_milliseconds() {
        long before = System.currentTimeMillis();
        var id = TimeOrderedId.next();
        assertThat(id.version()).isEqualTo(7);
        assertThat(id.variant()).isEqualTo(2);
        assertThat(id.getMostSignificantBits() >>> 16).isBetween(before, System.currentTimeMillis());
    }

    @Test
    void ids_of_one_millisecond_differ() {
        assertThat(Stream.generate(TimeOrderedId::next).limit(10_000).distinct()).hasSize(10_000);
    }

    @Test
    void a_later_id_is_the_greater_one_as_postgresql_orders_them() {
        var earlier = TimeOrderedId.next();
        long told = System.currentTimeMillis();
        while (System.currentTimeMillis() == told) {
            Thread.onSpinWait();
        }
        assertThat(earlier.toString()).isLessThan(TimeOrderedId.next().toString());
    }

    @Test
    void both_halves_are_random() {
        var ids = Stream.generate(TimeOrderedId::next).limit(1000).toList();
        assertThat(ids.stream().mapToLong(id -> id.getMostSignificantBits() & 0xfff).distinct().count())
                .isGreaterThan(500);
        assertThat(ids.stream().map(UUID::getLeastSignificantBits).distinct()).hasSize(1000);
    }
}
