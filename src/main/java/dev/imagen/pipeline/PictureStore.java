package dev.imagen.pipeline;

import dev.imagen.backend.Picture;
import dev.imagen.image.ImageBytes;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageLimits;
import dev.imagen.image.ImageType;
import dev.imagen.image.InvalidImageException;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.job.TimeOrderedId;
import dev.imagen.pipeline.RequestResolver.Resolved;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.StorageKey;
import dev.imagen.storage.StoreException;
import dev.imagen.trace.Spans;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.List;

/** Checks what a backend sent, and stores it. */
final class PictureStore {

    private static final System.Logger LOG = System.getLogger(PictureStore.class.getName());

    private final ImageStore store;
    private final ImageLimits limits;

    PictureStore(ImageStore store, ImageLimits limits) {
        this.store = store;
        this.limits = limits;
    }

    /**
     * Checks and stores one picture, a PNG with how it was made.
     *
     * @param position among the pictures of the job, from 0
     */
    NewImage keep(Job job, Resolved resolved, Picture picture, int position)
            throws JobFailedException, InterruptedException {
        var asked = job.request();
        var request = resolved.request();
        var backend = resolved.backend().info().name();
        var file = Spans.in("imagen.check", () -> check(picture, backend));
        var bytes = Spans.in("imagen.metadata", () -> withMetadata(picture, file, asked, resolved, position));
        var mimeType = file.type().mimeType();
        var key = Spans.in("imagen.store", () -> store(StorageKey.of(job, position, mimeType), bytes, mimeType));
        return new NewImage(TimeOrderedId.next(), store.bucket(), key, mimeType, file.width(), file.height(),
                bytes.length(), bytes.sha256(), backend, request.model(), request.prompt(), request.negativePrompt(),
                asked.style(), resolved.seed(position), resolved.steps());
    }

    /** A damaged picture may come whole the next time. */
    private ImageFile check(Picture picture, String backend) throws JobFailedException {
        try {
            return limits.check(picture.bytes());
        } catch (InvalidImageException e) {
            var message = "backend " + backend + " sent " + e.getMessage();
            throw e.damaged() ? JobFailedException.temporary(message, e) : JobFailedException.permanent(message);
        }
    }

    private static ImageBytes withMetadata(Picture picture, ImageFile file, NewJob asked, Resolved resolved,
            int position) {
        if (file.type() != ImageType.PNG) {
            return ImageBytes.of(picture.bytes());
        }
        var sent = resolved.request();
        return PngMetadata.add(picture.bytes(),
                new GenerationParameters(asked, sent.prompt(), sent.negativePrompt(), resolved.backend().info().name(),
                        sent.model(), file.width(), file.height(), resolved.steps(), resolved.seed(position),
                        resolved.strength()));
    }

    private String store(String key, ImageBytes bytes, String mimeType)
            throws JobFailedException, InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        try {
            store.put(key, bytes, mimeType);
            return key;
        } catch (IOException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            throw refused(e);
        }
    }

    private static JobFailedException refused(IOException e) {
        if (e instanceof StoreException told) {
            var message = "the image store did not take the image: " + told.getMessage();
            return told.retryable()
                    ? told.retryAfter().map(wait -> JobFailedException.temporary(message, wait))
                            .orElseGet(() -> JobFailedException.temporary(message, told))
                    : JobFailedException.permanent(message);
        }
        return JobFailedException.temporary("the image store did not take the image: " + e, e);
    }

    /** Removes what was kept. Never throws. */
    void discard(List<NewImage> images) {
        for (NewImage image : images) {
            try {
                store.delete(image.path());
            } catch (IOException | RuntimeException e) {
                LOG.log(Level.WARNING, "the file {0} of a refused image stays behind: {1}", image.path(),
                        e.getMessage());
            }
        }
    }
}
