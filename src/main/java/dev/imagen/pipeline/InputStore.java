package dev.imagen.pipeline;

import dev.imagen.image.ImageLimits;
import dev.imagen.image.InvalidImageException;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.StoredImage;
import dev.imagen.storage.ImageStores;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/** Fetches the pictures that jobs begin with. */
public final class InputStore {

    /** Who knows where images are. */
    @FunctionalInterface
    public interface Records {
        /** Empty for an image that is unknown, deleted or another owner's. */
        Optional<StoredImage> find(UUID owner, UUID id) throws JobFailedException;
    }

    /** What a picture is, and its bytes. */
    record Input(byte[] bytes, String mimeType) {}

    private final Records records;
    private final ImageStores stores;
    private final ImageLimits limits;

    /** @param limits of what goes to a backend */
    public InputStore(Records records, ImageStores stores, ImageLimits limits) {
        this.records = records;
        this.stores = stores;
        this.limits = limits;
    }

    /** @throws JobFailedException naming the image, permanent where it will not come */
    Input read(UUID owner, UUID id) throws JobFailedException, InterruptedException {
        var image = records.find(owner, id).orElseThrow(() -> failed(id, "is no image of this owner, or was deleted"));
        var store = stores.of(image.bucket()).orElseThrow(
                () -> failed(id, "is in the store " + image.bucket() + ", which this worker has no settings for"));
        try {
            byte[] bytes = store.get(image.path()).orElseThrow(() -> failed(id, "has lost its file"));
            return new Input(bytes, limits.check(bytes).type().mimeType());
        } catch (InvalidImageException e) {
            throw failed(id, "is " + e.getMessage());
        } catch (IllegalArgumentException e) {
            throw failed(id, "is recorded under a path that no store has");
        } catch (IOException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            throw JobFailedException.temporary("the image store did not give the input image: " + e.getMessage(), e);
        }
    }

    private static JobFailedException failed(UUID id, String why) {
        return JobFailedException.permanent("input_image_id " + id + " " + why);
    }
}
