package dev.imagen;

import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Migrations;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Brings the schema up to date and ends. */
@Command(name = "migrate", description = "Brings the schema imagen up to date and ends.", mixinStandardHelpOptions = true)
final class MigrateCommand implements Callable<Integer> {

    @Option(names = "--take-over", description = "Also takes over the tables of an earlier worker: docs/backup.md.")
    private boolean takeOver;

    @Override
    public Integer call() {
        var settings = SettingsLoader.load();
        try (var database = AnyDatabase.open(settings)) {
            var migrations = new Migrations(database.settings());
            var owner = database.settings().owner();
            if (takeOver) {
                var taken = ServerWait.MINUTES.patiently(owner, migrations::takeOver);
                report(taken.applied());
                taken.rows().forEach(System.out::println);
            } else {
                report(ServerWait.MINUTES.patiently(owner, migrations::run));
            }
        }
        return 0;
    }

    private static void report(int applied) {
        System.out.println(
                applied == 0 ? "schema imagen is up to date" : "schema imagen: " + applied + " migrations applied");
    }
}
