package dev.imagen.api;

import dev.imagen.api.OwnedImages.StoredBytes;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.ImageStore.Content;
import dev.imagen.storage.ImageStores;
import io.helidon.http.Status;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.Optional;

/** Asks the store of an image for its bytes; where they are not to be had, a {@link ProblemException} says why. */
final class StoredImages {

    private static final System.Logger LOG = System.getLogger(StoredImages.class.getName());

    private final ImageStores stores;

    StoredImages(ImageStores stores) {
        this.stores = stores;
    }

    /** How a client gets them. */
    Content content(StoredBytes image) {
        return ask(image, ImageStore::content);
    }

    /** All of them. */
    byte[] bytes(StoredBytes image) {
        return ask(image, ImageStore::get);
    }

    @FunctionalInterface
    private interface Question<T> {
        Optional<T> ask(ImageStore store, String key) throws IOException;
    }

    private <T> T ask(StoredBytes image, Question<T> question) {
        var store = stores.of(image.bucket()).orElseThrow(() -> {
            LOG.log(Level.WARNING, "an image is in the store {0}, which this process has no settings for",
                    image.bucket());
            return Problem.exception(Status.SERVICE_UNAVAILABLE_503, "the image is in a store that this process has no"
                    + " settings for: whoever runs it can add them (storage.* in docs/setup.md)");
        });
        try {
            return question.ask(store, image.path()).orElseThrow(() -> Problem.exception(Status.GONE_410,
                    "the image is recorded but its file is gone from the store"));
        } catch (IllegalArgumentException e) {
            // Written to the row by somebody else: no store keeps anything under such a key.
            throw Problem.exception(Status.GONE_410, "the image is recorded, but under a path that no store has");
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the image store did not answer: {0}", e.getMessage());
            throw Problem.exception(Status.SERVICE_UNAVAILABLE_503, "the image store does not answer now");
        }
    }
}
