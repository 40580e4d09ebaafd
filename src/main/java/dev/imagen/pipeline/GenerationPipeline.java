package dev.imagen.pipeline;

import dev.imagen.backend.Backends;
import dev.imagen.backend.Picture;
import dev.imagen.config.Settings;
import dev.imagen.image.ImageFile;
import dev.imagen.image.ImageLimits;
import dev.imagen.image.ImageType;
import dev.imagen.image.InvalidImageException;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.Metered;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.pipeline.RequestResolver.Resolved;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.ImageStores;
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
    private final InputStore inputs;
    private final ImageStore store;
    private final ImageLimits limits;

    /**
     * @param limits of what is taken from a backend
     * @param records of the images that jobs begin with
     */
    public GenerationPipeline(PromptStyles styles, Backends backends, ImageStores stores, Settings.Images limits,
            InputStore.Records records) {
        this.resolver = new RequestResolver(styles, backends);
        this.limits = new ImageLimits(limits);
        this.inputs = new InputStore(records, stores, this.limits);
        this.store = stores.current();
    }

    /** Throws what {@link #run} would throw before it reaches a backend. */
    public void check(NewJob asked) throws JobFailedException {
        resolver.resolve(asked);
    }

    @Override
    public List<NewImage> run(Job job, Attempt attempt) throws JobFailedException, InterruptedException {
        var resolved = withInput(job, resolver.resolve(job.request()));
        attempt.calls(resolved.backend().info().name(), resolved.request().model());
        var images = new ArrayList<NewImage>();
        try {
            make(job, resolved, attempt, images);
            return images;
        } catch (JobFailedException | InterruptedException | RuntimeException e) {
            discard(images);
            throw e;
        }
    }

    private Resolved withInput(Job job, Resolved resolved) throws JobFailedException, InterruptedException {
        if (job.request().inputImageId().isEmpty()) {
            return resolved;
        }
        var input = inputs.read(job.ownerUserId(), job.request().inputImageId().get());
        return resolved.beginningWith(input.bytes(), input.mimeType());
    }

    private void make(Job job, Resolved resolved, Attempt attempt, List<NewImage> images)
            throws JobFailedException, InterruptedException {
        int count = resolved.request().count();
        int atOnce = resolved.backend().picturesPerCall(resolved.request().model());
        var metered = Metered.NOTHING;
        while (images.size() < count) {
            int before = images.size();
            int asked = Math.min(count - before, atOnce);
            var generation = resolved.backend().generate(resolved.request().part(before, asked),
                    new PartProgress(attempt, before, asked, count));
            metered = metered.plus(generation.metered());
            attempt.metered(metered);
            for (Picture picture : generation.pictures()) {
                images.add(stored(job, resolved, picture, images.size()));
            }
            if (images.size() == before) {
                throw JobFailedException.permanent("backend " + resolved.backend().info().name() + " made " + before
                        + " of " + count + " pictures");
            }
        }
    }

    private NewImage stored(Job job, Resolved resolved, Picture picture, int position)
            throws JobFailedException, InterruptedException {
        var asked = job.request();
        var request = resolved.request();
        var backend = resolved.backend().info().name();
        var file = check(picture, backend);
        byte[] bytes = withMetadata(picture, file, asked, resolved, position);
        var mimeType = file.type().mimeType();
        var key = StorageKey.of(job, position, mimeType);
        store(key, bytes, mimeType);
        return new NewImage(UUID.randomUUID(), store.bucket(), key, mimeType, file.width(), file.height(), bytes.length,
                sha256(bytes), backend, request.model(), request.prompt(), request.negativePrompt(), asked.style(),
                resolved.seed(position), resolved.steps());
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

    private static byte[] withMetadata(Picture picture, ImageFile file, NewJob asked, Resolved resolved, int position) {
        if (file.type() != ImageType.PNG) {
            return picture.bytes();
        }
        var sent = resolved.request();
        return PngMetadata.add(picture.bytes(),
                new GenerationParameters(sent.prompt(), sent.negativePrompt(), asked.style(),
                        resolved.backend().info().name(), sent.model(), file.width(), file.height(), resolved.steps(),
                        resolved.seed(position), asked.prompt(), asked.negativePrompt()));
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
