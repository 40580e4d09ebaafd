package dev.imagen;

import dev.imagen.archive.Import;
import dev.imagen.config.SettingsLoader;
import dev.imagen.storage.FileImageStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Brings what {@code export} wrote into an empty database. */
@Command(name = "import", description = "Brings what export wrote into an empty database.", mixinStandardHelpOptions = true)
final class ImportCommand implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "A file of imagen export.")
    private Path file;

    @Override
    public Integer call() {
        var settings = SettingsLoader.load();
        var store = new FileImageStore(settings.home().resolve("images"));
        try (var database = AnyDatabase.open(settings)) {
            var imported = new Import(database.settings(), store).run(file);
            System.out.println("imported " + imported.rows() + " rows, " + imported.images() + " image files");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ", or write to " + settings.home() + ": " + e, e);
        }
        return 0;
    }
}
