package dev.imagen.api;

import dev.imagen.api.OwnedImages.StoredBytes;
import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.image.ImageLimits;
import dev.imagen.image.ImageType;
import dev.imagen.image.InvalidImageException;
import dev.imagen.image.Thumbnail;
import io.helidon.http.Status;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;

/** Makes the small picture of an image when it is first asked for, and keeps it in {@code imagen.thumbnails}. */
final class Thumbnails {

    private static final String FIND = """
            select i.bucket, i.path, i.mime_type, i.sha256, t.jpeg
              from imagen.images i left join imagen.thumbnails t on t.image_id = i.id
             where i.id = ?::uuid and i.deleted_at is null
            """;

    private static final String KEPT = """
            select jpeg from imagen.thumbnails where image_id = ?::uuid
            """;

    /** The lock: an image whose removal is under way gets no thumbnail, and no error of its foreign key. */
    private static final String KEEP = """
            insert into imagen.thumbnails (image_id, jpeg)
            select id, ?::bytea from imagen.images where id = ?::uuid and deleted_at is null for key share
            on conflict do nothing
            """;

    /** Each holds a picture and a processor; whoever opens a gallery asks for hundreds at once. */
    private static final int AT_ONCE = 2;

    private final Database database;
    private final StoredImages stored;
    private final ImageLimits limits;
    private final Semaphore places = new Semaphore(AT_ONCE, true);
    private final ConcurrentMap<UUID, FutureTask<Optional<byte[]>>> underWay = new ConcurrentHashMap<>();

    /** @param limits of what is decoded */
    Thumbnails(Database database, StoredImages stored, ImageLimits limits) {
        this.database = database;
        this.stored = stored;
        this.limits = limits;
    }

    /** An image, and its thumbnail where there is one by now. */
    record Found(StoredBytes image, Optional<byte[]> jpeg) {}

    /** As this caller may see it. */
    Optional<Found> find(Caller caller, UUID id) {
        return database.one(caller, FIND, row -> new Found(StoredBytes.of(row), Optional.ofNullable(row.bytes("jpeg"))),
                id);
    }

    /**
     * Makes and keeps the thumbnail of an image that the caller was shown; waits while others are made.
     *
     * @return empty for a picture that is not made small
     * @throws ProblemException where its bytes are not to be had, or are damaged
     */
    Optional<byte[]> make(UUID id, StoredBytes image) {
        if (image.mimeType().equals(ImageType.WEBP.mimeType())) {
            // Java does not decode it: its bytes need not be fetched.
            return Optional.empty();
        }
        var task = new FutureTask<>(() -> made(id, image));
        var first = underWay.putIfAbsent(id, task);
        if (first != null) {
            return result(first);
        }
        try {
            task.run();
        } finally {
            underWay.remove(id);
        }
        return result(task);
    }

    private static Optional<byte[]> result(FutureTask<Optional<byte[]>> task) {
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Problem.exception(Status.SERVICE_UNAVAILABLE_503, "the service is stopping");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException failure -> throw failure;
                case Error error -> throw error;
                case Throwable other -> throw new IllegalStateException(other);
            }
        }
    }

    private Optional<byte[]> made(UUID id, StoredBytes image) throws InterruptedException {
        places.acquire();
        try {
            // Another request may have made it after this one looked.
            var kept = database.one(KEPT, row -> row.bytes("jpeg"), id);
            if (kept.isPresent()) {
                return kept;
            }
            var jpeg = shrunk(stored.bytes(image));
            jpeg.ifPresent(bytes -> database.update(KEEP, bytes, id));
            return jpeg;
        } finally {
            places.release();
        }
    }

    private Optional<byte[]> shrunk(byte[] picture) {
        try {
            return Thumbnail.of(limits.check(picture), picture);
        } catch (InvalidImageException e) {
            if (e.damaged()) {
                throw Problem.exception(Status.GONE_410,
                        "no thumbnail can be made: the image's file in the store is " + e.getMessage());
            }
            return Optional.empty();
        }
    }
}
