package dev.imagen.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.imagen.backend.landscape.LandscapePicture;
import dev.imagen.testing.PngFile;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PngChunksTest {

    private static final byte[] PNG = LandscapePicture.png("two by two", 1, 16, 16, 1);
    private static final byte[] TEXT = PngChunks.text("Title", "two by two");

    @Test
    void chunks_go_directly_before_the_image_data_in_their_order() {
        var spliced = PngFile.read(inserted(PNG, List.of(TEXT, PngChunks.text("Author", "x"))));

        assertThat(spliced.types()).containsExactly("IHDR", "PLTE", "tEXt", "tEXt", "IDAT", "IEND");
        assertThat(spliced.texts()).extracting(PngFile.Text::keyword).containsExactly("Title", "Author");
    }

    @Test
    void with_several_image_data_chunks_the_first_counts() {
        var two = png("IHDR", "IDAT", "IDAT", "IEND");

        assertThat(PngFile.read(inserted(two, List.of(TEXT))).types()).containsExactly("IHDR", "tEXt", "IDAT", "IDAT",
                "IEND");
    }

    @Test
    void all_other_bytes_stay() {
        var spliced = inserted(PNG, List.of(TEXT));

        int at = new String(PNG, StandardCharsets.ISO_8859_1).indexOf("IDAT") - Integer.BYTES;
        assertThat(Arrays.copyOf(spliced, at)).isEqualTo(Arrays.copyOf(PNG, at));
        assertThat(Arrays.copyOfRange(spliced, at + TEXT.length, spliced.length))
                .isEqualTo(Arrays.copyOfRange(PNG, at, PNG.length));
    }

    /** Several pictures of images.bytes at once would not fit into the heap three times. */
    @Test
    void the_file_is_not_copied() {
        var file = new ByteArrayOutputStream();
        file.writeBytes(png("IHDR"));
        file.writeBytes(PngChunks.chunk("IDAT", new byte[8_000_000]));
        file.writeBytes(PngChunks.chunk("IEND", new byte[0]));
        byte[] large = file.toByteArray();
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

        long before = threads.getCurrentThreadAllocatedBytes();
        var spliced = PngChunks.insertBeforeImageData(large, List.of(TEXT));
        spliced.sha256();
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;

        assertThat(spliced.length()).isEqualTo(large.length + TEXT.length);
        assertThat(allocated).isLessThan(large.length / 2);
    }

    @Test
    void latin_text_is_plain_and_any_other_is_unicode() {
        var texts = PngFile.read(inserted(PNG, List.of(PngChunks.text("a", "Größe: 1½\nçà"),
                PngChunks.text("b", "Łódź"), PngChunks.text("c", "🌄 بحيرة"), PngChunks.text("d", "")))).texts();

        assertThat(texts).containsExactly(new PngFile.Text("tEXt", "a", "Größe: 1½\nçà"),
                new PngFile.Text("iTXt", "b", "Łódź"), new PngFile.Text("iTXt", "c", "🌄 بحيرة"),
                new PngFile.Text("tEXt", "d", ""));
    }

    @Test
    void text_loses_its_nul_characters() {
        var texts = PngFile
                .read(inserted(PNG, List.of(PngChunks.text("a", "\0one\0two\0"), PngChunks.text("b", "\0Łódź\0"))))
                .texts();

        assertThat(texts).extracting(PngFile.Text::value).containsExactly("onetwo", "Łódź");
    }

    @Test
    void a_file_without_the_signature_is_rejected() {
        for (var bytes : List.of(new byte[0], new byte[]{(byte) 0x89}, "GIF89a, which is no PNG".getBytes())) {
            assertThatThrownBy(() -> inserted(bytes, List.of(TEXT))).isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("Not a PNG: the signature is missing");
        }
    }

    @Test
    void a_file_that_was_cut_off_is_rejected_wherever_that_was() {
        for (int length = PngChunks.signature().length; length < PNG.length; length++) {
            var cut = Arrays.copyOf(PNG, length);
            assertThatThrownBy(() -> inserted(cut, List.of(TEXT))).isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("Broken PNG: ");
        }
    }

    @Test
    void a_chunk_with_a_negative_length_is_rejected() {
        var broken = PNG.clone();
        broken[PngChunks.signature().length] = (byte) 0xFF;

        assertThatThrownBy(() -> inserted(broken, List.of(TEXT))).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Broken PNG: the chunk at byte 8 is longer than the file");
    }

    @Test
    void a_file_without_header_or_image_data_is_rejected() {
        assertThatThrownBy(() -> inserted(png("IDAT", "IEND"), List.of(TEXT)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Broken PNG: it does not start with its header");
        assertThatThrownBy(() -> inserted(png("IHDR", "IEND"), List.of(TEXT)))
                .isInstanceOf(IllegalArgumentException.class).hasMessage("Broken PNG: it has no image data");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "IDA", "IDATA", "ID T", "ÏDAT"})
    void a_chunk_type_has_four_letters(String type) {
        assertThatThrownBy(() -> PngChunks.chunk(type, new byte[0])).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("four ASCII letters");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Übersicht", "two\nlines"})
    void a_keyword_is_printable_ascii(String keyword) {
        assertThatThrownBy(() -> PngChunks.text(keyword, "")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 to 79 printable ASCII characters");
    }

    private static byte[] inserted(byte[] png, List<byte[]> chunks) {
        return PngChunks.insertBeforeImageData(png, chunks).joined();
    }

    static byte[] png(String... types) {
        var png = new ByteArrayOutputStream();
        png.writeBytes(PngChunks.signature());
        Arrays.stream(types).forEach(type -> png.writeBytes(PngChunks.chunk(type, new byte[3])));
        return png.toByteArray();
    }
}
