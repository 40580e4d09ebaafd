package dev.imagen;

import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Migrations;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Brings the schema up to date and ends. */
@Command(name = "migrate", description = "Brings the schema imagen up to date and ends.", mixinStandardHelpOptions = true)
final class MigrateCommand implements Callable<Integer> {

    @Override
    public Integer call() {
        var settings = SettingsLoader.load();
        try (var database = AnyDatabase.open(settings)) {
            report(new Migrations(database.settings()).run());
        }
        return 0;
    }

    private static void report(int applied) {
        System.out.println(
                applied == 0 ? "schema imagen is up to date" : "schema imagen: " + applied + " migrations applied");
    }
}
