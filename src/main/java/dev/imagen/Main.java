package dev.imagen;

import dev.imagen.config.BuildVersions;
import dev.imagen.config.SettingsException;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.EmbeddedPostgresException;
import dev.imagen.database.MigrationException;
import io.helidon.logging.common.LogConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;

/** The command line. Exit codes: 0 done, 1 failed, 2 to be called or set differently. */
@Command(name = "imagen", description = "Makes images for rows of imagen.jobs.", mixinStandardHelpOptions = true, versionProvider = Main.Version.class, subcommands = {
        ServeCommand.class, GenerateCommand.class, MigrateCommand.class, KeysCommand.class, ExportCommand.class,
        ImportCommand.class})
public final class Main implements Callable<Integer> {

    /** Runs the command and exits with its code. */
    public static void main(String[] args) {
        System.setProperty("java.util.logging.manager", LastingLogManager.class.getName());
        LogConfig.configureRuntime();
        // Makes them: the JDK would make none for what is logged for the first time while the process stops.
        Logger.getLogger("").getHandlers();
        System.exit(run(args));
    }

    static int run(String... args) {
        if (args.length == 0 || List.of(args).equals(List.of("serve"))) {
            return serve();
        }
        return new CommandLine(new Main()).setParameterExceptionHandler(Main::misused)
                .setExecutionExceptionHandler((e, _, _) -> failed(e)).execute(args);
    }

    /** There is nothing to parse, and the parser would take a tenth of the start. */
    private static int serve() {
        try {
            return new ServeCommand().call();
        } catch (Exception e) {
            return failed(e);
        }
    }

    /** Without a subcommand: serve. */
    @Override
    public Integer call() throws Exception {
        return new ServeCommand().call();
    }

    private static int misused(ParameterException e, String[] args) {
        e.getCommandLine().getErr().println("imagen: " + e.getMessage().lines().findFirst().orElse("") + "; see "
                + e.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        return 2;
    }

    private static int failed(Exception e) {
        switch (e) {
            case SettingsException _,IllegalArgumentException _ -> {
                System.err.println("imagen: " + e.getMessage());
                return 2;
            }
            case EmbeddedPostgresException _,MigrationException _,DatabaseException _,UncheckedIOException _ -> {
                System.err.println("imagen: " + e.getMessage());
                return 1;
            }
            default -> {
                e.printStackTrace();
                return 1;
            }
        }
    }

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[]{"imagen " + BuildVersions.program()};
        }
    }
}
