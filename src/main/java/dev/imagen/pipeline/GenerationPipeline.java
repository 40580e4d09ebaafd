package dev.imagen.pipeline;

import dev.imagen.backend.Backends;
import dev.imagen.backend.Picture;
import dev.imagen.config.Settings;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageType;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.pipeline.RequestResolver.Resolved;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.StorageKey;
import dev.imagen.storage.StoreException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** The straight line: style, backend, check, metadata, store. */
public final class GenerationPipeline implements Pipeline {

    private static final System.Logger LOG = System.getLogger(GenerationPipeline.class.getName());

    private final RequestResolver resolver;
    private final ImageStore store;
    private final PictureCheck check;

    /** @param limits of what is taken from a backend */
    public GenerationPipeline(PromptStyles styles, Backends backends, ImageStore store, Settings.Images limits) {
        this.resolver = new RequestResolver(styles, backends);
        this.store = store;
        this.check = new PictureCheck(limits);
    }

    /** Throws what {@link #run} would throw before it reaches a backend. */
    public void check(NewJob asked) throws JobFailedException {
        resolver.resolve(asked);
    }

    @Override
    public List<NewImage> run(Job job, Attempt attempt) throws JobFailedException, InterruptedException {
        var resolved = resolver.resolve(job.request());
        attempt.calls(resolved.backend().info().name(), resolved.request().model());
        var generation = resolved.backend().generate(resolved.request(), attempt);
        attempt.metered(generation.metered());
        var images = new ArrayList<NewImage>();
        try {
            for (Picture picture : generation.pictures()) {
                images.add(stored(job, resolved, picture, images.size()));
            }
            return images;
        } catch (JobFailedException | InterruptedException | RuntimeException e) {
            discard(images);
            throw e;
        }
    }

    private NewImage stored(Job job, Resolved resolved, Picture picture, int position)
            throws JobFailedException, InterruptedException {
        var asked = job.request();
        var request = resolved.request();
        var backend = resolved.backend().info().name();
        var file = check.check(picture, backend);
        byte[] bytes = withMetadata(picture, file, asked, resolved);
        var mimeType = file.type().mimeType();
        var key = StorageKey.of(job, position, mimeType);
        store(key, bytes, mimeType);
        return new NewImage(UUID.randomUUID(), store.bucket(), key, mimeType, file.width(), file.height(), bytes.length,
                sha256(bytes), backend, request.model(), request.prompt(), request.negativePrompt(), asked.style(),
                resolved.seed(), resolved.steps());
    }

    private static byte[] withMetadata(Picture picture, ImageFile file, NewJob asked, Resolved resolved) {
        if (file.type() != ImageType.PNG) {
            return picture.bytes();
        }
        var sent = resolved.request();
        return PngMetadata.add(picture.bytes(),
                new GenerationParameters(sent.prompt(), sent.negativePrompt(), asked.style(),
                        resolved.backend().info().name(), sent.model(), file.width(), file.height(), resolved.steps(),
                        resolved.seed(), asked.prompt(), asked.negativePrompt()));
    }

    private void store(String key, byte[] bytes, String mimeType) throws JobFailedException, InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        try {
            store.put(key, bytes, mimeType);
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

    @Override
    public void discard(List<NewImage> images) {
        for (NewImage image : images) {
            try {
                store.delete(image.path());
            } catch (IOException | RuntimeException e) {
                LOG.log(Level.WARNING, "the file {0} of a refused image stays behind: {1}", image.path(),
                        e.getMessage());
            }
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
