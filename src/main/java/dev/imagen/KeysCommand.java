package dev.imagen;

import dev.imagen.auth.ApiKeys;
import dev.imagen.auth.ApiKeys.ApiKey;
import dev.imagen.config.SettingsLoader;
import dev.imagen.database.Database;
import dev.imagen.database.Migrations;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.ToIntFunction;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes, lists and revokes API keys. */
@Command(name = "keys", description = "Makes, lists and revokes API keys.", mixinStandardHelpOptions = true)
final class KeysCommand implements Callable<Integer> {

    private static final int LONGEST_NAME = 200;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(spec.commandLine(), "say what to do: create, list or revoke");
    }

    @Command(description = "Makes a key and shows it, this once.", mixinStandardHelpOptions = true)
    int create(@ArgGroup(multiplicity = "1") Whose whose,
            @Option(names = "--name", defaultValue = "key", description = "What it is for.") String name) {
        if (name.isBlank() || name.length() > LONGEST_NAME) {
            throw new ParameterException(spec.commandLine(), "--name must have 1 to 200 characters and not be blank");
        }
        return with(keys -> {
            var created = keys.create(name, Optional.ofNullable(whose.owner));
            // The key alone goes to the standard output, for scripts.
            spec.commandLine().getErr().println("key " + created.known().id() + " for " + whose(created.known())
                    + "; it is shown only now, send it as Authorization: Bearer:");
            System.out.println(created.key());
            return CommandLine.ExitCode.OK;
        });
    }

    /** For whom a key is. */
    static final class Whose {
        @Option(names = "--owner", required = true, description = "The uuid of the owner whose jobs and images it is for.")
        private UUID owner;

        @Option(names = "--operator", required = true, description = "For all owners, and to operate the queue.")
        private boolean operator;
    }

    @Command(description = "Lists all keys, without the keys themselves.", mixinStandardHelpOptions = true)
    int list() {
        return with(keys -> {
            keys.list().forEach(key -> System.out.printf("%s %s %s %s%s%n", key.id(), key.createdAt(), whose(key),
                    key.name(), key.revokedAt().map(at -> " revoked " + at).orElse("")));
            return CommandLine.ExitCode.OK;
        });
    }

    @Command(description = "Makes a key useless from now on.", mixinStandardHelpOptions = true)
    int revoke(@Parameters(paramLabel = "ID", description = "The key's id, as list shows it.") UUID id) {
        return with(keys -> {
            if (keys.revoke(id).isEmpty()) {
                spec.commandLine().getErr().println("imagen: there is no key " + id + "; see imagen keys list");
                return CommandLine.ExitCode.SOFTWARE;
            }
            System.out.println("key " + id + " is revoked");
            return CommandLine.ExitCode.OK;
        });
    }

    private static String whose(ApiKey key) {
        return key.owner().map(owner -> "owner " + owner).orElse("the operator");
    }

    private static int with(ToIntFunction<ApiKeys> use) {
        try (var database = AnyDatabase.open(SettingsLoader.load())) {
            if (database.settings().migrate()) {
                new Migrations(database.settings()).run();
            }
            try (var pool = new Database(database.settings())) {
                return use.applyAsInt(new ApiKeys(pool));
            }
        }
    }
}
