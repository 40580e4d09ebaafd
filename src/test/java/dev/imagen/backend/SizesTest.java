package dev.imagen.backend;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SizesTest {

    private static final Sizes LISTED = Sizes.of("1024x1024", "1536x1024", "1024x1536");
    private static final Sizes RANGED = new Sizes.Ranged(16, 3840, 3840L * 2160, 16, 3);

    @Test
    void a_size_that_is_not_listed_is_refused_with_those_that_are() {
        assertThat(LISTED.refusals(new Size(1536, 1024), "model m")).isEmpty();
        assertThat(LISTED.refusals(new Size(1536, 1536), "model m")).singleElement().hasToString(
                "width and height are 1536x1536, must be one of 1024x1024, 1536x1024, 1024x1536 for model m");
    }

    @ParameterizedTest
    @CsvSource({"512, 512, 1024x1024", "1344, 576, 1536x1024", "768, 1024, 1024x1536", "1000, 1001, 1024x1024"})
    void the_nearest_of_a_list_is_the_one_of_the_closest_shape(int width, int height, String nearest) {
        assertThat(LISTED.nearest(new Size(width, height))).hasToString(nearest);
    }

    @Test
    void among_sizes_of_one_shape_the_closest_in_size_is_the_nearest() {
        assertThat(Sizes.of("256x256", "512x512", "1024x1024").nearest(new Size(600, 600))).hasToString("512x512");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            8    | 1024 | width must be from 16 to 3840 for model m
            1024 | 4096 | height must be from 16 to 3840 for model m
            1024 | 1000 | height must be a multiple of 16 for model m
            3840 | 2176 | width times height must be at most 8294400 for model m
            3840 | 1264 | width and height: the longer must be at most 3 times the shorter for model m
            """)
    void a_size_beyond_a_limit_is_refused_with_the_limit(int width, int height, String refusal) {
        assertThat(RANGED.refusals(new Size(width, height), "model m")).singleElement().hasToString(refusal);
    }

    @ParameterizedTest
    @CsvSource({"1344, 576, 1344x576", "1000, 1000, 992x992", "8192, 8192, 2880x2880", "8192, 16, 48x16",
            "16, 8192, 16x48", "20, 17, 16x16", "3840, 3840, 2880x2880", "8192, 2048, 2880x960"})
    void the_nearest_within_limits_keeps_the_shape_where_it_can(int width, int height, String nearest) {
        var size = RANGED.nearest(new Size(width, height));
        assertThat(size).hasToString(nearest);
        assertThat(RANGED.refusals(size, "model m")).isEmpty();
    }
}
