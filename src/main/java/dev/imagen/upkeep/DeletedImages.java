package dev.imagen.upkeep;

import dev.imagen.database.Database;
import dev.imagen.storage.ImageStore;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Images that were deleted longer ago than {@code imagen.restore_time()}: first their bytes go, then their row. */
final class DeletedImages implements FileRemoval.Items<DeletedImages.Image> {

    private static final Image FIRST = new Image(Instant.EPOCH, new UUID(0, 0), "");

    /**
     * Marks them, so that from now on nobody brings them back, and skips a row that somebody is just restoring. As many
     * rows are marked as are read: those of the first statement, in its order.
     */
    static final String AFTER = """
            with due as materialized (
                select deleted_at, id, path from imagen.images
                 where bucket = ? and deleted_at is not null and deleted_at < now() - imagen.restore_time()
                   and (deleted_at, id) > (?::timestamptz, ?::uuid)
                 order by bucket, deleted_at, id limit ?
                   for update skip locked),
            marked as (
                update imagen.images set removing_at = now()
                 where id = any (array(select id from due)) and removing_at is null)
            select deleted_at, id, path from due
            """;

    private static final String REMOVED = """
            delete from imagen.images where id = any (?::uuid[])
            """;

    private final Database database;
    private final ImageStore store;

    DeletedImages(Database database, ImageStore store) {
        this.database = database;
        this.store = store;
    }

    record Image(Instant deletedAt, UUID id, String path) {}

    @Override
    public List<Image> after(Optional<Image> last, int limit) {
        var from = last.orElse(FIRST);
        return database.query(AFTER, row -> new Image(row.instant("deleted_at"), row.uuid("id"), row.text("path")),
                store.bucket(), from.deletedAt().atOffset(ZoneOffset.UTC), from.id(), limit);
    }

    @Override
    public int removeFiles(Image image) throws IOException {
        store.delete(image.path());
        return 1;
    }

    @Override
    public void removed(List<Image> images) {
        database.update(REMOVED, (Object) images.stream().map(image -> image.id().toString()).toArray(String[]::new));
    }
}
