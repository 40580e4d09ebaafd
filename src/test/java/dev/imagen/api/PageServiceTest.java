package dev.imagen.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.imagen.config.Secret;
import dev.imagen.config.StorageSettings.S3;
import dev.imagen.config.StorageSettings.Supabase;
import dev.imagen.storage.ImageStores;
import dev.imagen.storage.S3ImageStore;
import dev.imagen.storage.SupabaseImageStore;
import dev.imagen.testing.TestClient;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page's files as they are served. What the page does, browsers show. */
@Timeout(60)
class PageServiceTest {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    private static final Path SOURCES = Path.of("src/main/resources/page");
    private static final Pattern ASKED_BY_HTML = Pattern.compile("(?:src|href)=\"(/page/[^\"]+)\"");
    private static final Pattern ASKED_BY_SCRIPT = Pattern.compile("(?:from |import\\()'\\./([^']+)'");

    private static TestService service;
    private static TestClient client;

    @BeforeAll
    static void start() {
        service = TestService.on(DB).withoutWorker().start();
        client = service.client();
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/operate"})
    void the_page_is_there_for_everybody_and_is_asked_for_anew_each_time(String path) {
        var page = client.get(path);
        assertThat(page.status()).isEqualTo(200);
        assertThat(page.header("Content-Type")).isEqualTo("text/html; charset=utf-8");
        assertThat(page.header("Cache-Control")).isEqualTo("no-cache");
        assertThat(page.header("X-Frame-Options")).isEqualTo("DENY");
    }

    @Test
    void no_script_and_no_style_is_inline_and_nothing_comes_from_elsewhere() {
        var page = client.get("/");
        assertThat(page.header("Content-Security-Policy")).isEqualTo("default-src 'none'; script-src 'self';"
                + " style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; base-uri 'none';"
                + " form-action 'none'; frame-ancestors 'none'");
        var html = text(page.bytes());
        assertThat(html).doesNotContain("<style").doesNotContain("http://").doesNotContain("https://")
                .doesNotContainPattern("<script(?![^>]* src=)").doesNotContainPattern(" on\\w+=");
    }

    @Test
    void where_pictures_are_in_a_remote_store_they_may_come_from_there() {
        var key = new Secret("key");
        try (var amazon = new S3ImageStore(new S3(Optional.empty(), "eu-central-1", "images", key, key),
                Duration.ofMinutes(1));
                var supabase = new SupabaseImageStore(
                        new Supabase(URI.create("https://abc.supabase.co/storage/v1"), key, "images2"),
                        Duration.ofMinutes(1));
                var remote = TestService.on(DB).withoutWorker()
                        .stores(files -> new ImageStores(amazon, supabase, files)).start()) {
            assertThat(remote.client().get("/").header("Content-Security-Policy")).contains("img-src 'self' blob: data:"
                    + " https://images.s3.eu-central-1.amazonaws.com https://abc.supabase.co;");
        }
    }

    @Test
    void every_file_that_is_asked_for_is_there_and_may_be_kept_for_ever() {
        var asked = new HashSet<String>();
        var html = text(client.get("/").bytes());
        ASKED_BY_HTML.matcher(html).results().forEach(found -> collect(found.group(1), asked));
        assertThat(asked).hasSizeGreaterThan(20);
        assertThat(asked).allSatisfy(path -> {
            var file = client.get(path);
            assertThat(file.status()).isEqualTo(200);
            assertThat(file.header("Cache-Control")).isEqualTo("public, max-age=31536000, immutable");
        });
    }

    /** A script, and what it imports. */
    private static void collect(String path, Set<String> asked) {
        if (asked.add(path) && path.endsWith(".js")) {
            var folder = path.substring(0, path.lastIndexOf('/') + 1);
            ASKED_BY_SCRIPT.matcher(text(client.get(path).bytes())).results()
                    .forEach(found -> collect(folder + found.group(1), asked));
        }
    }

    @Test
    void a_page_from_before_an_update_gets_the_new_files_but_keeps_none_under_the_old_name() {
        var file = client.get("/page/0123456789abcdef/app.js");
        assertThat(file.status()).isEqualTo(200);
        assertThat(file.header("Content-Type")).isEqualTo("text/javascript; charset=utf-8");
        assertThat(file.header("Cache-Control")).isEqualTo("no-cache");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/page/x/nothing.js", "/page/x/index.html", "/page/x/..%2f..%2fapplication.yaml",
            "/page/x/../../application.yaml", "/page/x/%2e%2e/application.yaml", "/page/x//etc/passwd", "/page/x/lib",
            "/page/x/lib/", "/page/app.js", "/page/"})
    void what_is_no_file_of_the_page_is_a_404(String path) {
        var answer = client.get(path);
        assertThat(answer.status()).isEqualTo(404);
        assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
    }

    @Test
    void scripts_are_sent_compressed_and_all_of_them_together_have_at_most_150_kB() throws IOException {
        long sum = 0;
        for (var name : scripts()) {
            var plain = client.get("/page/x/" + name);
            var compressed = client.get("/page/x/" + name, "Accept-Encoding", "br, gzip");
            assertThat(compressed.header("Content-Encoding")).isEqualTo("gzip");
            assertThat(compressed.header("Vary")).contains("Accept-Encoding");
            assertThat(new GZIPInputStream(new ByteArrayInputStream(compressed.bytes())).readAllBytes())
                    .isEqualTo(plain.bytes());
            sum += compressed.bytes().length;
        }
        assertThat(sum).isLessThanOrEqualTo(150_000);
    }

    private static Set<String> scripts() {
        var names = new TreeSet<>(Set.of("lib/preact.js", "lib/hooks.js", "lib/uplot.js"));
        files().map(Path::toString).filter(name -> name.endsWith(".js")).forEach(names::add);
        return names;
    }

    @Test
    void every_built_in_style_has_a_sample() {
        var names = client.get("/styles").json().path("styles").findValuesAsText("name");
        assertThat(names).hasSize(14);
        assertThat(names).allSatisfy(name -> assertThat(SOURCES.resolve("styles/" + name + ".jpg")).exists());
        var script = text(client.get("/page/x/styles.js").bytes());
        assertThat(names).allSatisfy(name -> assertThat(script).contains("'" + name + "'"));
    }

    /** What is written anywhere else would be missed when the page is to speak another language. */
    @Test
    void words_are_in_one_place() {
        var words = Pattern.compile("(?:aria-label|title|placeholder|alt)'?: '[A-Za-z]|(?:null|\\}), '[A-Z]");
        assertThat(files().filter(name -> name.toString().endsWith(".js") && !name.endsWith("texts.js")))
                .hasSizeGreaterThan(20)
                .allSatisfy(name -> assertThat(Files.readString(SOURCES.resolve(name))).doesNotContainPattern(words));
    }

    private static Stream<Path> files() {
        try (var files = Files.walk(SOURCES)) {
            return files.filter(Files::isRegularFile).map(SOURCES::relativize).toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
