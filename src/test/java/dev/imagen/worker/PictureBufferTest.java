package dev.imagen.worker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PictureBufferTest {

    private final PictureBuffer buffer = new PictureBuffer(100);
    private final LiveProgress live = new LiveProgress(() -> {});
    private final RunningJob first = new RunningJob(FakeQueue.job(), live);
    private final RunningJob second = new RunningJob(FakeQueue.job(), live);

    @Test
    void the_newest_picture_takes_the_place_of_the_older_one() {
        var newer = new byte[40];
        assertThat(buffer.put(first, new byte[60])).isTrue();
        assertThat(buffer.put(second, new byte[30])).isTrue();
        assertThat(buffer.put(first, newer)).isTrue();
        assertThat(buffer.jobs()).containsExactly(first, second);
        assertThat(buffer.take(first)).containsSame(newer);
        assertThat(buffer.take(first)).isEmpty();
        assertThat(buffer.jobs()).containsExactly(second);
    }

    @Test
    void what_does_not_fit_is_dropped_until_something_was_taken() {
        buffer.put(first, new byte[60]);
        assertThat(buffer.fits(40)).isTrue();
        assertThat(buffer.put(second, new byte[41])).isFalse();
        assertThat(buffer.has(second)).isFalse();
        buffer.take(first);
        assertThat(buffer.put(second, new byte[100])).isTrue();
        assertThat(buffer.takeAll()).containsOnlyKeys(second);
        assertThat(buffer.fits(100)).isTrue();
    }
}
