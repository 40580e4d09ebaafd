package dev.imagen.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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

class FileImageStoreTest {

    private static final String KEY = "owner/2026/11/job-1.png";

    @TempDir
    private Path folder;

    private FileImageStore store;

    @BeforeEach
    void makeStore() {
        store = new FileImageStore(folder.resolve("images"));
    }

    @Test
    void what_was_put_is_got_and_replaced_and_deleted() throws Exception {
        store.put(KEY, new byte[]{1, 2, 3}, "image/png");
        assertThat(store.get(KEY)).contains(new byte[]{1, 2, 3});
        store.put(KEY, new byte[]{4}, "image/png");
        assertThat(store.get(KEY)).contains(new byte[]{4});
        store.delete(KEY);
        assertThat(store.get(KEY)).isEmpty();
        store.delete(KEY);
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
    void keys_are_listed_by_how_they_begin() throws Exception {
        put("owner/2026/11/job-1.png", "owner/2026/11/job-1.jpg", "owner/2026/11/job-12.png", "owner/2026/12/job-1.png",
                "owner2/2026/11/job-1.png");
        assertThat(store.keys("owner/2026/11/job-1.")).containsExactlyInAnyOrder("owner/2026/11/job-1.png",
                "owner/2026/11/job-1.jpg");
        assertThat(store.keys("owner/2026/11/job-1")).hasSize(3);
        assertThat(store.keys("owner/2026")).hasSize(4);
        assertThat(store.keys("owner")).hasSize(5);
        assertThat(store.keys("owner/2026/11/job-2")).isEmpty();
    }

    @Test
    void a_folder_that_is_not_there_has_no_keys() throws Exception {
        assertThat(store.keys(KEY)).isEmpty();
    }

    @Test
    void temporary_files_are_no_keys() throws Exception {
        put(KEY);
        Files.writeString(store.path(KEY).resolveSibling(".job-1.png"), "half of it");
        assertThat(store.keys("owner")).containsExactly(KEY);
    }

    private void put(String... keys) throws Exception {
        for (String key : keys) {
            store.put(key, new byte[]{1}, "image/png");
        }
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
            "a\\b", "a/b/", "a b", "a\0b"})
    void a_key_that_could_lead_out_of_the_folder_is_refused(String key) {
        assertThatThrownBy(() -> store.put(key, new byte[]{1}, "image/png"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.get(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.delete(key)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.keys(key)).isInstanceOf(IllegalArgumentException.class);
    }
}
