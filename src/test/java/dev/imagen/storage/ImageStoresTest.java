package dev.imagen.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.SettingsLoader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which stores a process has. */
class ImageStoresTest {

    private static final Map<String, String> REMOTE = Map.of("storage.supabase.url", "http://127.0.0.1:1",
            "storage.supabase.key", "key", "storage.s3.key", "id", "storage.s3.secret", "secret");

    @TempDir
    private Path home;

    private ImageStores stores(Map<String, String> settings, String kind) {
        var all = new HashMap<>(settings);
        all.putAll(Map.of("imagen.home", home.toString(), "storage.kind", kind));
        return ImageStores.of(SettingsLoader.load(all));
    }

    @Test
    void without_settings_there_are_files_only() {
        try (var stores = stores(Map.of(), "file")) {
            assertThat(stores.current()).isInstanceOf(FileImageStore.class);
            assertThat(stores.all()).containsExactly(stores.current());
            assertThat(stores.of("images")).isEmpty();
        }
    }

    @Test
    void new_images_go_to_the_store_of_the_kind_and_each_bucket_leads_to_its_own() {
        try (var stores = stores(REMOTE, "s3")) {
            assertThat(stores.current()).isInstanceOf(S3ImageStore.class);
            assertThat(stores.of("imagen")).containsSame(stores.current());
            assertThat(stores.of("images")).get().isInstanceOf(SupabaseImageStore.class);
        }
        try (var stores = stores(REMOTE, "supabase")) {
            assertThat(stores.current()).isInstanceOf(SupabaseImageStore.class);
            assertThat(stores.all()).first().isSameAs(stores.current());
        }
    }

    @Test
    void files_are_a_former_store_only_where_there_are_any() throws IOException {
        try (var stores = stores(REMOTE, "s3")) {
            assertThat(stores.of("file")).isEmpty();
        }
        Files.createDirectory(home.resolve("images"));
        try (var stores = stores(REMOTE, "s3")) {
            assertThat(stores.of("file")).get().isInstanceOf(FileImageStore.class);
        }
    }
}
