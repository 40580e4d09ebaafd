package dev.imagen.storage;

import dev.imagen.image.ImageType;
import dev.imagen.job.Job;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.UUID;

/** Where an attempt's image goes: no two attempts share a key, so a late writer never touches another's file. */
public final class StorageKey {

    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("yyyy/MM").withZone(ZoneOffset.UTC);

    private StorageKey() {}

    /** {@code owner/yyyy/mm/job-attempt.ext} by the job's creation, in UTC. */
    public static String of(Job job, String mimeType) {
        return prefix(job.ownerUserId(), job.createdAt(), job.id(), job.attempt()) + extension(mimeType);
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
