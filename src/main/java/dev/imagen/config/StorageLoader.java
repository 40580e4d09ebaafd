package dev.imagen.config;

import dev.imagen.config.StorageSettings.Kind;
import dev.imagen.config.StorageSettings.S3;
import dev.imagen.config.StorageSettings.Supabase;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads the settings of the image stores: of the one in use, and of those that older images may be in. */
final class StorageLoader {

    /** What a URL takes as it is. The files on disk have a name of their own in image rows. */
    private static final Pattern SUPABASE_BUCKET = Pattern.compile("(?!file$)[A-Za-z0-9][A-Za-z0-9_.-]{0,62}");
    private static final Pattern S3_BUCKET = Pattern.compile("(?!file$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]");
    private static final Pattern REGION = Pattern.compile("[a-z0-9-]{1,40}");

    private static final Duration SHORTEST_LINK = Duration.ofSeconds(10);
    /** S3 signs for no longer. */
    private static final Duration LONGEST_LINK = Duration.ofDays(7);

    private final Keys keys;

    StorageLoader(Keys keys) {
        this.keys = keys;
    }

    StorageSettings storage() {
        var kind = Kind.valueOf(keys.oneOf("storage.kind", "file", "supabase", "s3").toUpperCase(Locale.ROOT));
        var supabase = supabase(kind);
        var s3 = s3(kind);
        if (supabase.isPresent() && s3.isPresent() && supabase.get().bucket().equals(s3.get().bucket())) {
            throw new SettingsException(Keys.named("storage.s3.bucket") + " and "
                    + Keys.named("storage.supabase.bucket") + " are both " + s3.get().bucket()
                    + ", but an image's row tells its store by the bucket alone: take" + " two names");
        }
        return new StorageSettings(kind, supabase, s3, keys.duration("storage.links", SHORTEST_LINK, LONGEST_LINK));
    }

    private Optional<Supabase> supabase(Kind kind) {
        return setUp(kind, Kind.SUPABASE, List.of(), "storage.supabase.url", "storage.supabase.key")
                ? Optional.of(new Supabase(storageApi("storage.supabase.url"),
                        keys.headerSecret("storage.supabase.key").orElseThrow(),
                        matching("storage.supabase.bucket", SUPABASE_BUCKET,
                                "1 to 63 letters, digits, dots, hyphens and underscores, and not 'file'")))
                : Optional.empty();
    }

    private Optional<S3> s3(Kind kind) {
        return setUp(kind, Kind.S3, List.of("storage.s3.endpoint"), "storage.s3.key", "storage.s3.secret")
                ? Optional.of(new S3(keys.optional("storage.s3.endpoint").map(_ -> keys.url("storage.s3.endpoint")),
                        matching("storage.s3.region", REGION, "1 to 40 small letters, digits and hyphens"),
                        matching("storage.s3.bucket", S3_BUCKET,
                                "3 to 63 small letters, digits, dots and hyphens, and not 'file'"),
                        keys.headerSecret("storage.s3.key").orElseThrow(),
                        keys.headerSecret("storage.s3.secret").orElseThrow()))
                : Optional.empty();
    }

    /** Whether these are set: all that are needed, where any is set or the kind needs them. */
    private boolean setUp(Kind chosen, Kind kind, List<String> others, String... needed) {
        var set = Stream.concat(others.stream(), Stream.of(needed)).filter(key -> keys.optional(key).isPresent())
                .findFirst();
        var missing = Stream.of(needed).filter(key -> keys.optional(key).isEmpty()).findFirst();
        if (missing.isPresent() && (set.isPresent() || chosen == kind)) {
            throw new SettingsException(Keys.named(missing.get()) + " must be set where "
                    + (chosen == kind ? "storage.kind is " + kind.name().toLowerCase(Locale.ROOT) : set.get() + " is"));
        }
        return set.isPresent();
    }

    /** A project's URL has no path; its gateway has the Storage API under this one. */
    private URI storageApi(String key) {
        var url = keys.url(key);
        return url.getRawPath().isEmpty() ? URI.create(url + "/storage/v1") : url;
    }

    private String matching(String key, Pattern pattern, String wanted) {
        var value = keys.text(key);
        if (!pattern.matcher(value).matches()) {
            throw new SettingsException(Keys.named(key) + " is '" + value + "', must be " + wanted);
        }
        return value;
    }
}
