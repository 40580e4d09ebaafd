package dev.imagen.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.imagen.config.StorageSettings.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StorageSettingsTest {

    private static final Map<String, String> SUPABASE = Map.of("storage.supabase.url", "https://abc.supabase.co",
            "storage.supabase.key", "hidden-key");
    private static final Map<String, String> S3 = Map.of("storage.s3.key", "hidden-id", "storage.s3.secret",
            "hidden-secret");

    @TempDir
    private Path home;

    private Settings load(Map<String, String> settings, String... more) {
        var all = new HashMap<>(settings);
        all.put("imagen.home", home.toString());
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return SettingsLoader.load(all);
    }

    private StorageSettings storage(Map<String, String> settings, String... more) {
        return load(settings, more).storage();
    }

    @Test
    void without_settings_images_are_files() {
        var storage = storage(Map.of());
        assertThat(storage.kind()).isEqualTo(Kind.FILE);
        assertThat(storage.supabase()).isEmpty();
        assertThat(storage.s3()).isEmpty();
        assertThat(storage.links()).isEqualTo(Duration.ofMinutes(15));
    }

    @ParameterizedTest
    @CsvSource({"https://abc.supabase.co, https://abc.supabase.co/storage/v1",
            "https://abc.supabase.co/, https://abc.supabase.co/storage/v1",
            "http://127.0.0.1:8000/storage/v1/, http://127.0.0.1:8000/storage/v1",
            "http://storage:5000/api, http://storage:5000/api"})
    void a_projects_url_leads_to_its_storage_and_one_with_a_path_is_taken_as_it_is(String url, URI api) {
        assertThat(storage(SUPABASE, "storage.kind", "supabase", "storage.supabase.url", url).supabase()).get()
                .satisfies(supabase -> {
                    assertThat(supabase.url()).isEqualTo(api);
                    assertThat(supabase.bucket()).isEqualTo("images");
                });
    }

    @Test
    void a_store_that_is_not_in_use_may_be_set_up_for_older_images() {
        var storage = storage(SUPABASE, "storage.s3.key", "id", "storage.s3.secret", "secret");
        assertThat(storage.kind()).isEqualTo(Kind.FILE);
        assertThat(storage.supabase()).isPresent();
        assertThat(storage.s3()).get().satisfies(s3 -> {
            assertThat(s3.endpoint()).isEmpty();
            assertThat(s3.region()).isEqualTo("us-east-1");
            assertThat(s3.bucket()).isEqualTo("imagen");
        });
    }

    @Test
    void two_stores_with_a_bucket_of_the_same_name_are_refused() {
        var both = new HashMap<>(SUPABASE);
        both.putAll(S3);
        assertThatThrownBy(() -> storage(both, "storage.s3.bucket", "images")).isInstanceOf(SettingsException.class)
                .hasMessageContaining("STORAGE_S3_BUCKET").hasMessageContaining("STORAGE_SUPABASE_BUCKET");
    }

    @ParameterizedTest
    @ValueSource(strings = {"abc.supabase.co", "ftp://h", "https://", "https://me:hidden@h", "https://h?key=hidden",
            "https://h#hidden", "h ttps://hidden", "/storage/v1"})
    void what_is_no_plain_url_is_refused_and_not_shown(String url) {
        assertThatThrownBy(() -> storage(SUPABASE, "storage.supabase.url", url)).isInstanceOf(SettingsException.class)
                .hasMessageContaining("storage.supabase.url (STORAGE_SUPABASE_URL) must be a URL such as")
                .hasMessageNotContaining("hidden");
        assertThatThrownBy(() -> storage(S3, "storage.s3.endpoint", url)).isInstanceOf(SettingsException.class)
                .hasMessageContaining("storage.s3.endpoint (STORAGE_S3_ENDPOINT) must be a URL such as")
                .hasMessageNotContaining("hidden");
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "a/b", "a b", "ä", ".a", "-a"})
    void a_name_that_no_store_takes_for_a_bucket_is_refused(String name) {
        assertThatThrownBy(() -> storage(SUPABASE, "storage.supabase.bucket", name))
                .isInstanceOf(SettingsException.class).hasMessageContaining("storage.supabase.bucket"
                        + " (STORAGE_SUPABASE_BUCKET) is '" + name + "', must be 1 to 63 letters");
        assertThatThrownBy(() -> storage(S3, "storage.s3.bucket", name)).isInstanceOf(SettingsException.class)
                .hasMessageContaining("storage.s3.bucket (STORAGE_S3_BUCKET) is '" + name + "', must be 3 to 63");
    }

    @Test
    void a_region_that_is_none_is_refused() {
        assertThatThrownBy(() -> storage(S3, "storage.s3.region", "Frankfurt am Main"))
                .hasMessageContaining("storage.s3.region (STORAGE_S3_REGION) is 'Frankfurt am Main', must be");
    }

    @Test
    void a_secret_that_no_header_takes_is_refused_and_not_shown() {
        assertThatThrownBy(() -> storage(SUPABASE, "storage.supabase.key", "hidden\nX-Other: 1"))
                .isInstanceOf(SettingsException.class).hasMessageContaining("STORAGE_SUPABASE_KEY")
                .hasMessageNotContaining("hidden");
    }

    @Test
    void nothing_that_is_printed_shows_a_secret() {
        var both = new HashMap<>(SUPABASE);
        both.putAll(S3);
        assertThat(load(both, "db.connection.url", "jdbc:postgresql://h/d", "db.connection.password", "hidden-password")
                .toString()).contains("abc.supabase.co").doesNotContain("hidden");
    }

    @ParameterizedTest
    @ValueSource(strings = {"from a file", "from a file\n", "from a file\r\n"})
    void a_secret_may_be_in_a_file_whose_line_end_is_not_part_of_it(String text) throws IOException {
        var file = Files.writeString(home.resolve("secret"), text);
        assertThat(
                load(Map.of(), "db.connection.url", "jdbc:postgresql://h/d", "db.connection.password", "file:" + file)
                        .database().service().password())
                .isEqualTo("from a file");
    }

    @Test
    void the_secrets_of_stores_may_be_in_files() throws IOException {
        var file = Files.writeString(home.resolve("secret"), "from-a-file\n");
        assertThat(storage(S3, "storage.s3.secret", "file:" + file, "storage.s3.key", "file:" + file).s3()).get()
                .satisfies(s3 -> assertThat(s3.secret()).isEqualTo(new Secret("from-a-file")).isEqualTo(s3.key()));
        assertThat(storage(SUPABASE, "storage.supabase.key", "file:" + file).supabase()).get()
                .satisfies(supabase -> assertThat(supabase.key().value()).isEqualTo("from-a-file"));
    }

    @Test
    void a_file_that_cannot_be_read_names_the_key_and_the_file() throws IOException {
        assertThatThrownBy(() -> storage(S3, "storage.s3.secret", "file:/no/such/file"))
                .isInstanceOf(SettingsException.class).hasMessageStartingWith(
                        "storage.s3.secret (STORAGE_S3_SECRET) names the file /no/such/file, which cannot"
                                + " be read");
        assertThatThrownBy(() -> storage(S3, "storage.s3.secret", "file:" + home)).isInstanceOf(SettingsException.class)
                .hasMessageContaining("STORAGE_S3_SECRET");
        var empty = Files.writeString(home.resolve("empty"), "\n");
        assertThatThrownBy(() -> storage(S3, "storage.s3.secret", "file:" + empty))
                .hasMessage("storage.s3.secret (STORAGE_S3_SECRET) names the file " + empty + ", which is empty");
    }
}
