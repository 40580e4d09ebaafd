package dev.imagen.storage;

import dev.imagen.image.ImageType;
import dev.imagen.job.Job;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.UUID;
import java.util.regex.Pattern;

/** Where an attempt's image goes: no two attempts share a key, so a late writer never touches another's file. */
public final class StorageKey {

    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("yyyy/MM").withZone(ZoneOffset.UTC);

    /**
     * No segment begins with a dot: nothing leads out of a folder, and no temporary file can be asked for. Every
     * character stands for itself in a URL, and every store takes it.
     */
    private static final Pattern KEY = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*");
    private static final int LONGEST = 900;

    /** What stores tell whoever has the bytes: they never change, and are their owner's alone. */
    static final String CACHE_CONTROL = "private, max-age=31536000, immutable";

    private StorageKey() {}

    static boolean valid(String key) {
        return key.length() <= LONGEST && KEY.matcher(key).matches();
    }

    /** The key itself. @throws IllegalArgumentException if it is none */
    static String check(String key) {
        if (!valid(key)) {
            throw new IllegalArgumentException("not a storage key: " + key);
        }
        return key;
    }

    /**
     * {@code owner/yyyy/mm/job-attempt.ext} by the job's creation, in UTC; {@code job-attempt.1.ext} for a second
     * image.
     *
     * @param position of the image among those of the attempt, from 0
     */
    public static String of(Job job, int position, String mimeType) {
        return prefix(job.ownerUserId(), job.createdAt(), job.id(), job.attempt())
                + (position == 0 ? "" : position + ".") + extension(mimeType);
    }

    /** The same for a picture that no job made, as if it came of an attempt 0 of its own. */
    public static String ofUpload(UUID owner, UUID image, String mimeType) {
        return prefix(owner, Instant.now(), image, 0) + extension(mimeType);
    }

    /** How all keys of one attempt begin, up to and with the dot: without it, attempt 1 would have those of 12 too. */
    public static String prefix(UUID owner, Instant jobCreatedAt, UUID job, int attempt) {
        return owner + "/" + MONTH.format(jobCreatedAt) + "/" + job + "-" + attempt + ".";
    }

    private static String extension(String mimeType) {
        return ImageType.of(mimeType).map(ImageType::extension)
                .orElseThrow(() -> new IllegalArgumentException("not an image type that is stored: " + mimeType));
    }
}
