package dev.imagen.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.Page;
import dev.imagen.config.Secret;
import dev.imagen.config.StorageSettings.Supabase;
import dev.imagen.storage.ImageStores;
import dev.imagen.storage.SupabaseImageStore;
import dev.imagen.testing.SampleImages;
import dev.imagen.testing.SupabaseStorageServer;
import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import dev.imagen.testing.TokenIssuer;
import java.net.URI;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Pictures in a store elsewhere, for somebody with a token: the page may show them, but not fetch them. */
@Timeout(120)
class RemotePicturesIT {

    @RegisterExtension
    static final TestDatabase DB = new TestDatabase();

    @Test
    void thumbnails_whole_pictures_and_what_has_no_thumbnail_are_shown() throws Exception {
        var owner = UUID.randomUUID();
        try (var chromium = Chromium.start();
                var issuer = new TokenIssuer();
                var server = SupabaseStorageServer.start();
                var store = new SupabaseImageStore(
                        new Supabase(URI.create("http://127.0.0.1:" + server.port() + "/storage/v1"),
                                new Secret(SupabaseStorageServer.SERVICE_KEY), "images"),
                        Duration.ofMinutes(10));
                var service = TestService.on(DB).jwt(issuer.settings()).stores(files -> new ImageStores(store, files))
                        .start()) {
            server.makeBucket("images");
            var bearer = "Bearer " + issuer.token(owner);
            service.client().submit("{\"prompt\": \"a bay\"}", "Authorization", bearer, "Prefer", "wait=30");
            service.client().upload("/images", SampleImages.LOSSY_WEBP, "image/webp", "Authorization", bearer);

            var page = chromium.visitor("http://127.0.0.1:" + service.port()).newPage();
            page.navigate("/");
            page.getByLabel("Token or API key").fill(issuer.token(owner));
            page.getByRole(AriaRole.BUTTON, new Page.GetByRoleOptions().setName("Sign in")).click();
            var studio = new Studio(page);
            assertThat(studio.tiles()).hasCount(2);
            Studio.isLoaded(studio.tiles().first().locator("img"));
            Studio.isLoaded(studio.tiles().last().locator("img"));
            studio.tiles().last().click();
            Studio.isLoaded(studio.viewer().locator(".stage img"));
            assertThat(studio.viewer().locator(".stage img").getAttribute("src")).contains(":" + server.port() + "/");
            assertThat(chromium.complaints()).isEmpty();
        }
    }
}
