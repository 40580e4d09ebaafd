package dev.imagen;

import dev.imagen.backend.remote.RemoteHttp;
import dev.imagen.config.DatabaseSettings;
import dev.imagen.config.Settings;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.Migrations;
import dev.imagen.job.Job;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.JobStatus;
import dev.imagen.job.NewImage;
import dev.imagen.job.NewJob;
import dev.imagen.pipeline.GenerationPipeline;
import dev.imagen.pipeline.PromptStyles;
import dev.imagen.queue.ImagesWithoutJobs;
import dev.imagen.storage.ImageStore;
import dev.imagen.storage.ImageStores;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes images by the same pipeline, without the queue. */
@Command(name = "generate", description = "Makes an image, or some, and says where they are.", mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "PROMPT", description = "What to show.")
    private String prompt;

    @Option(names = "--negative", description = "What to leave out.")
    private Optional<String> negativePrompt;

    @Option(names = "--backend", description = "The engine; without it the default one.")
    private Optional<String> backend;

    @Option(names = "--model", description = "A model of the backend.")
    private Optional<String> model;

    @Option(names = "--style", description = "A prompt style.")
    private Optional<String> style;

    @Option(names = "--width", description = "Pixels.")
    private Optional<Integer> width;

    @Option(names = "--height", description = "Pixels.")
    private Optional<Integer> height;

    @Option(names = "--steps", description = "Sampling steps.")
    private Optional<Integer> steps;

    @Option(names = "--seed", description = "0 to 9007199254740991; without it a random one.")
    private Optional<Long> seed;

    @Option(names = "--count", defaultValue = "1", description = "Images, 1 to 10, each with the next seed.")
    private int count;

    @Option(names = "--output", description = "A file to write the image to as well.")
    private Optional<Path> output;

    @Override
    public Integer call() throws IOException, InterruptedException {
        checkArguments();
        var settings = SettingsLoader.load();
        try (var stores = ImageStores.of(settings); var http = new RemoteHttp()) {
            var store = stores.current();
            var pipeline = pipeline(settings, http, stores);
            // Before a database is started for nothing.
            pipeline.check(request());
            try (var database = AnyDatabase.open(settings)) {
                return generate(pipeline, store, settings.auth().owner(), database.settings());
            }
        } catch (JobFailedException e) {
            spec.commandLine().getErr().println("imagen: " + e.getMessage());
            return e.retryable() ? CommandLine.ExitCode.SOFTWARE : CommandLine.ExitCode.USAGE;
        }
    }

    private static GenerationPipeline pipeline(Settings settings, RemoteHttp http, ImageStores stores) {
        return new GenerationPipeline(new PromptStyles(settings.styles()), ConfiguredBackends.of(settings, http),
                stores, settings.images(), (_, _) -> Optional.empty());
    }

    private void checkArguments() {
        int length = prompt.codePointCount(0, prompt.length());
        require(!prompt.isBlank() && length <= 32_000, "PROMPT must have 1 to 32000 characters and not be blank");
        require(seed.isEmpty() || seed.get() >= 0 && seed.get() < 1L << 53, "--seed must be 0 to 9007199254740991");
        require(count >= 1 && count <= 10, "--count must be 1 to 10");
        require(output.isEmpty() || count == 1, "--output takes one image: leave out --count");
        require(output.isEmpty() || output.get().toAbsolutePath().getParent() != null
                && Files.isDirectory(output.get().toAbsolutePath().getParent()), "--output: its folder does not exist");
        require(output.isEmpty() || !Files.isDirectory(output.get()), "--output is a folder, must be a file");
    }

    private void require(boolean right, String message) {
        if (!right) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    private int generate(GenerationPipeline pipeline, ImageStore store, UUID owner, DatabaseSettings database)
            throws IOException, InterruptedException, JobFailedException {
        new Migrations(database).run();
        var job = job(owner);
        var attempt = new MeasuredAttempt();
        try (var pool = new Database(database)) {
            var images = pipeline.run(job, attempt);
            record(pool, owner, images, attempt, pipeline);
            for (NewImage image : images) {
                say(store, image);
            }
        }
        return CommandLine.ExitCode.OK;
    }

    /** A file whose row cannot be written is not kept. */
    private static void record(Database pool, UUID owner, List<NewImage> images, MeasuredAttempt attempt,
            GenerationPipeline pipeline) {
        try {
            new ImagesWithoutJobs(pool).record(owner, images, attempt.usage(images));
        } catch (DatabaseException e) {
            pipeline.discard(images);
            throw e;
        }
    }

    private NewJob request() {
        return new NewJob(prompt, negativePrompt, backend, model, style, width, height, steps, seed, 0,
                Optional.empty(), 1, Map.of(), count, Optional.empty(), Optional.empty());
    }

    /** A job that only the pipeline sees. */
    private Job job(UUID owner) {
        var now = Instant.now();
        return new Job(UUID.randomUUID(), owner, request(), Optional.empty(), JobStatus.RUNNING, 1, 0, Optional.empty(),
                Optional.empty(), Optional.empty(), List.of(), Optional.empty(), 0, now, now, Optional.of(now),
                Optional.empty());
    }

    private void say(ImageStore store, NewImage image) {
        var place = store.place(image.path());
        if (output.isPresent()) {
            try {
                Files.write(output.get(),
                        store.get(image.path()).orElseThrow(() -> new NoSuchFileException(image.path())));
            } catch (IOException e) {
                throw new UncheckedIOException(
                        "the image is at " + place + " but could not be written to " + output.get() + ": " + e, e);
            }
        }
        System.out.printf("image %s: %s (%d×%d%s)%n", image.id(), output.map(Path::toString).orElse(place),
                image.width(), image.height(), image.seed().map(value -> ", seed " + value).orElse(""));
    }
}
