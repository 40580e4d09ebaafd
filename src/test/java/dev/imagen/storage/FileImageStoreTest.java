package dev.imagen.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.storage.ImageStore.Content;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FileImageStoreTest extends ImageStoreContract {

    @TempDir
    private Path folder;

    private FileImageStore store;

    @BeforeEach
    void makeStore() {
        store = new FileImageStore(folder.resolve("images"));
    }

    @Override
    ImageStore store() {
        return store;
    }

    /** Something is in the way. */
    @Override
    void breakStore() throws IOException {
        Files.createDirectories(store.path(KEY).resolve("occupied"));
    }

    @Override
    void mendStore() throws IOException {
        Files.delete(store.path(KEY).resolve("occupied"));
        Files.delete(store.path(KEY));
    }

    /** A slow client would otherwise have the whole of it kept in memory for as long as it is slow. */
    @Test
    void a_file_is_read_only_as_fast_as_it_is_taken() throws Exception {
        store.put(KEY, BYTES, "image/png");
        long length = 3L << 30;
        try (var file = new RandomAccessFile(store.path(KEY).toFile(), "rw")) {
            // More than an array holds; the disk has but its first bytes.
            file.setLength(length);
        }
        var content = (Content.Stream) store.content(KEY).orElseThrow();
        try (var bytes = content.bytes()) {
            assertThat(content.length()).isEqualTo(length);
            assertThat(bytes.readNBytes(BYTES.length)).isEqualTo(BYTES);
        }
    }

    @Test
    void no_temporary_file_stays_beside_the_image() throws Exception {
        store.put(KEY, new byte[1000], "image/png");
        try (var files = Files.list(store.path(KEY).getParent())) {
            assertThat(files).containsExactly(store.path(KEY));
        }
    }

    @Test
    void where_the_image_cannot_be_written_nothing_is_left_to_read() throws Exception {
        Files.createDirectories(store.path(KEY));
        Files.writeString(store.path(KEY).resolve("occupied"), "a folder is in the way");
        assertThatThrownBy(() -> store.put(KEY, new byte[]{1}, "image/png")).isInstanceOf(IOException.class);
        try (var files = Files.list(store.path(KEY).getParent())) {
            assertThat(files).containsExactly(store.path(KEY));
        }
    }

    @Test
    void a_folder_that_is_not_there_has_no_keys() throws Exception {
        assertThat(store.keys(KEY)).isEmpty();
    }

    @Test
    void temporary_files_are_no_keys() throws Exception {
        put(KEY);
        Files.writeString(store.path(KEY).resolveSibling(".job-1.png"), "half of it");
        assertThat(store.keys("00000000-0000-4000-8000-000000000001")).containsExactly(KEY);
    }

    @RepeatedTest(40)
    void a_put_that_is_interrupted_leaves_the_whole_file_or_nothing() throws Exception {
        var failure = new CompletableFuture<Boolean>();
        var putting = Thread.ofVirtual().start(() -> {
            try {
                store.put(KEY, new byte[100_000], "image/png");
                failure.complete(false);
            } catch (IOException e) {
                failure.complete(true);
            }
        });
        // So long a put takes: any moment of it.
        Thread.sleep(Duration.ofNanos(ThreadLocalRandom.current().nextLong(3_000_000)));
        putting.interrupt();
        boolean failed = failure.get(10, TimeUnit.SECONDS);
        assertThat(store.get(KEY).map(bytes -> bytes.length))
                .isEqualTo(failed ? Optional.empty() : Optional.of(100_000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/etc/passwd", "../secret", "a/../../secret", "a//b", "a/./b", ".hidden", "a/.b",
            "a\\b", "a/b/", "a b", "a\0b", "..", "a/..", "%2e%2e/a", "a/%2e%2e%2fb", "..\\a", "C:a", "~/a",
            "a/\u2025/b", "\uFF0E\uFF0E/a"})
    void a_key_that_could_lead_out_of_the_folder_is_refused(String key) {
        assertThatThrownBy(() -> store.put(key, new byte[]{1}, "image/png"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.get(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.delete(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.keys(key)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_link_in_the_folder_does_not_lead_out_of_it() throws Exception {
        var outside = Files.createDirectory(folder.resolve("outside"));
        Files.writeString(outside.resolve("secret.png"), "not an image");
        put("owner/1.png");
        Files.createSymbolicLink(store.path("owner/away"), outside);
        Files.createSymbolicLink(store.path("owner/secret.png"), outside.resolve("secret.png"));
        for (String key : List.of("owner/away/secret.png", "owner/secret.png", "owner/away/2026/11/1.png")) {
            assertThatThrownBy(() -> store.get(key)).as(key).isInstanceOf(IOException.class)
                    .hasMessageContaining("a link leads out of the folder of images");
            assertThatThrownBy(() -> store.put(key, new byte[]{1}, "image/png")).as(key)
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> store.delete(key)).as(key).isInstanceOf(IOException.class);
        }
        assertThatThrownBy(() -> store.keys("owner/away/secret")).isInstanceOf(IOException.class);
        assertThat(store.keys("owner/1")).containsExactly("owner/1.png");
        try (var files = Files.list(outside)) {
            assertThat(files).containsExactly(outside.resolve("secret.png"));
        }
        assertThat(outside.resolve("secret.png")).hasContent("not an image");
    }

    @Test
    void the_folder_itself_may_be_a_link_to_another_disk() throws Exception {
        var disk = Files.createDirectory(folder.resolve("disk"));
        Files.createSymbolicLink(folder.resolve("images"), disk);
        put(KEY);
        var onDisk = Files.readAllBytes(disk.resolve(KEY));
        assertThat(store.get(KEY)).hasValueSatisfying(bytes -> assertThat(bytes).isEqualTo(onDisk).isNotEmpty());
        assertThat(store.keys(KEY.replaceFirst("\\.png", "."))).containsExactly(KEY);
        store.delete(KEY);
        assertThat(store.get(KEY)).isEmpty();
    }
}
