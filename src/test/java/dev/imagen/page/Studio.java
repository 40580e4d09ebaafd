package dev.imagen.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;

/** The page as somebody sees it: its form, its cards and its pictures. */
record Studio(Page page) {

    static Studio open(Page page) {
        page.navigate("/");
        var studio = new Studio(page);
        studio.isLive();
        return studio;
    }

    void isLive() {
        assertThat(page.locator(".connection")).hasText("Live");
    }

    /** Writes a prompt and sends it with the keyboard. */
    void make(String prompt) {
        page.getByLabel("Prompt", new Page.GetByLabelOptions().setExact(true)).fill(prompt);
        page.keyboard().press("Control+Enter");
    }

    Locator card(String prompt) {
        return page.locator(".card").filter(new Locator.FilterOptions().setHasText(prompt)).first();
    }

    /** Waits until a job's card says this of its state, such as "Running". */
    Locator awaitCard(String prompt, String state) {
        var card = card(prompt);
        assertThat(card.locator(".status")).hasText(state);
        return card;
    }

    /** Waits until it is done and shows its picture. */
    Locator awaitDone(String prompt) {
        var card = awaitCard(prompt, "Done");
        isLoaded(card.locator("img"));
        return card;
    }

    Locator chip(String style) {
        return page.locator(".chip input[value=" + style + "]");
    }

    Locator tiles() {
        return page.locator(".tile");
    }

    Locator viewer() {
        return page.locator("dialog.viewer");
    }

    Locator button(Locator within, String name) {
        return within.getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName(name).setExact(true));
    }

    Locator field(String label) {
        return page.locator("form").getByLabel(label, new Locator.GetByLabelOptions().setExact(true));
    }

    /** An element of that kind is there for a broken picture too. */
    static void isLoaded(Locator img) {
        assertThat(img).hasJSProperty("complete", true);
        if (img.evaluate("img => img.decode().then(() => img.naturalWidth)") instanceof Integer width && width > 0) {
            return;
        }
        throw new AssertionError("the picture is not shown: " + img);
    }
}
