package dev.imagen;

import dev.imagen.archive.Export;
import dev.imagen.config.SettingsLoader;
import dev.imagen.storage.FileImageStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes the database and its image files to one file, for a backup or a move. */
@Command(name = "export", description = "Writes the database and its image files to one file.", mixinStandardHelpOptions = true)
final class ExportCommand implements Callable<Integer> {

    private static final int MOST_NAMED = 10;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "A new file (ZIP).")
    private Path file;

    @Override
    public Integer call() {
        var settings = SettingsLoader.load();
        var store = new FileImageStore(settings.home().resolve("images"));
        try (var database = AnyDatabase.open(settings)) {
            report(new Export(database.settings(), store).run(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e, e);
        }
        return 0;
    }

    private void report(Export.Exported exported) {
        System.out.println(file + ": " + exported.rows() + " rows, " + exported.images() + " image files");
        if (!exported.missing().isEmpty()) {
            spec.commandLine().getErr()
                    .println("imagen: " + exported.missing().size()
                            + " images have rows but no file below imagen.home, or none any more: "
                            + String.join(", ", exported.missing().stream().limit(MOST_NAMED).toList())
                            + (exported.missing().size() > MOST_NAMED ? " …" : ""));
        }
    }
}
