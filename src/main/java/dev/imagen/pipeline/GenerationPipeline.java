package dev.imagen.pipeline;

import dev.imagen.backend.Backends;
import dev.imagen.backend.Picture;
import dev.imagen.config.Settings;
import dev.imagen.image.ImageLimits;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.pipeline.RequestResolver.Resolved;
import dev.imagen.storage.ImageStores;
import dev.imagen.trace.Spans;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;

/** The straight line: style, backend, check, metadata, store. */
public final class GenerationPipeline implements Pipeline {

    private static final System.Logger LOG = System.getLogger(GenerationPipeline.class.getName());

    private final RequestResolver resolver;
    private final InputStore inputs;
    private final PictureStore pictures;

    /**
     * @param limits of what is taken from a backend
     * @param records of the images that jobs begin with
     */
    public GenerationPipeline(PromptStyles styles, Backends backends, ImageStores stores, Settings.Images limits,
            InputStore.Records records) {
        this.resolver = new RequestResolver(styles, backends);
        var checked = new ImageLimits(limits);
        this.inputs = new InputStore(records, stores, checked);
        this.pictures = new PictureStore(stores.current(), checked);
    }

    /** Throws what {@link #run} would throw before it reaches a backend. */
    public void check(NewJob asked) throws JobFailedException {
        resolver.resolve(asked);
    }

    @Override
    public List<NewImage> run(Job job, Attempt attempt) throws JobFailedException, InterruptedException {
        var bill = new Bill(attempt);
        var resolved = withInput(job, Spans.in("imagen.style", () -> resolver.resolve(job.request())));
        try {
            return run(job, resolved, bill);
        } catch (JobFailedException e) {
            if (!e.retryable() || !bill.failedWith(e)) {
                throw e;
            }
            return runElsewhere(job, resolved, bill, e);
        }
    }

    /** By the fallback and its fallback, as long as they can do what the job asks for. */
    private List<NewImage> runElsewhere(Job job, Resolved resolved, Bill bill, JobFailedException failure)
            throws JobFailedException, InterruptedException {
        var said = new StringBuilder(failure.getMessage());
        for (var next = resolver.fallback(job.request(), resolved); next
                .isPresent(); next = resolver.fallback(job.request(), next.get())) {
            LOG.log(Level.INFO, "job {0}: {1}; backend {2} makes its pictures", job.id(), failure.getMessage(),
                    next.get().backend().info().name());
            try {
                return run(job, withInput(job, next.get()), bill);
            } catch (JobFailedException e) {
                said.append("; its fallback failed too: ").append(e.getMessage());
            }
        }
        throw failure.saying(said.toString());
    }

    private List<NewImage> run(Job job, Resolved resolved, Bill bill) throws JobFailedException, InterruptedException {
        bill.calls(resolved);
        var images = new ArrayList<NewImage>();
        try {
            make(job, resolved, bill, images);
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
        var input = Spans.in("imagen.input", () -> inputs.read(job.ownerUserId(), job.request().inputImageId().get()));
        return resolved.beginningWith(input.bytes(), input.mimeType());
    }

    private void make(Job job, Resolved resolved, Bill bill, List<NewImage> images)
            throws JobFailedException, InterruptedException {
        int count = resolved.request().count();
        int atOnce = resolved.backend().picturesPerCall(resolved.request().model());
        while (images.size() < count) {
            int before = images.size();
            var part = resolved.request().part(before, Math.min(count - before, atOnce));
            var generation = bill.generation(resolved, part, before, count);
            for (Picture picture : generation.pictures()) {
                images.add(pictures.keep(job, resolved, picture, images.size()));
            }
            if (images.size() == before) {
                throw JobFailedException.permanent("backend " + resolved.backend().info().name() + " made " + before
                        + " of " + count + " pictures");
            }
        }
    }

    @Override
    public void discard(List<NewImage> images) {
        pictures.discard(images);
    }
}
