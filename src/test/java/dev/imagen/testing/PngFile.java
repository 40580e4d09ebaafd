package dev.imagen.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/** A PNG taken apart independently of the code that writes it; every checksum is verified. */
public record PngFile(List<Chunk> chunks) {

    /** One chunk without its frame. */
    public record Chunk(String type, byte[] data) {}

    /** A text, and the type of the chunk that it was in. */
    public record Text(String type, String keyword, String value) {}

    /** Reads a file that is nothing but a PNG. */
    public static PngFile read(byte[] png) {
        var file = ByteBuffer.wrap(png);
        assertThat(file.getLong()).isEqualTo(0x89504E470D0A1A0AL);
        var chunks = new ArrayList<Chunk>();
        while (file.hasRemaining()) {
            var data = new byte[file.getInt()];
            var checksum = new CRC32();
            checksum.update(file.slice().limit(4 + data.length));
            var type = new byte[4];
            file.get(type).get(data);
            assertThat(file.getInt()).isEqualTo((int) checksum.getValue());
            chunks.add(new Chunk(new String(type, StandardCharsets.US_ASCII), data));
        }
        return new PngFile(List.copyOf(chunks));
    }

    /** The types of all chunks, in the file's order. */
    public List<String> types() {
        return chunks.stream().map(Chunk::type).toList();
    }

    /** The compressed pixels. */
    public byte[] imageData() {
        var data = new ByteArrayOutputStream();
        chunks.stream().filter(chunk -> chunk.type().equals("IDAT")).forEach(chunk -> data.writeBytes(chunk.data()));
        return data.toByteArray();
    }

    /** All texts, in the file's order. */
    public List<Text> texts() {
        return chunks.stream().filter(chunk -> chunk.type().endsWith("Xt")).map(PngFile::text).toList();
    }

    private static Text text(Chunk chunk) {
        var data = chunk.data();
        int end = 0;
        while (data[end] != 0) {
            end++;
        }
        var keyword = new String(data, 0, end, StandardCharsets.ISO_8859_1);
        if (chunk.type().equals("tEXt")) {
            return new Text("tEXt", keyword, from(data, end + 1, StandardCharsets.ISO_8859_1));
        }
        assertThat(chunk.type()).isEqualTo("iTXt");
        assertThat(Arrays.copyOfRange(data, end, end + 5)).containsOnly(0);
        return new Text("iTXt", keyword, from(data, end + 5, StandardCharsets.UTF_8));
    }

    private static String from(byte[] data, int start, Charset charset) {
        return new String(data, start, data.length - start, charset);
    }

    /** The decoded picture. */
    public static BufferedImage decode(byte[] png) {
        try {
            return ImageIO.read(new ByteArrayInputStream(png));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The decoded colours, row after row. */
    public static int[] pixels(byte[] png) {
        var image = decode(png);
        return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    }
}
