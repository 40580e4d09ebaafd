package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.database.Row;
import dev.imagen.image.ImageFile;
import dev.imagen.queue.OwnedJobs.Cursor;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Images as a caller may see and change them. Throws {@link DatabaseException}. */
final class OwnedImages {

    private static final String FIND = """
            select * from imagen.images where id = ?::uuid and deleted_at is null
            """;

    private static final String LIST = """
            select * from imagen.images
             where owner_user_id = ?::uuid and deleted_at is null
               and (created_at, id) < (?::timestamptz, ?::uuid)
             order by created_at desc, id desc limit ?
            """;

    private static final String DELETE = """
            select * from imagen.delete_image(?::uuid)
            """;

    private static final String RESTORE = """
            select * from imagen.restore_image(?::uuid)
            """;

    /**
     * As the service: what an owner could insert, they could give any path. Deleted at first, so that what never gets
     * its bytes is removed like any other deleted image.
     */
    private static final String BEGIN = """
            insert into imagen.images (id, owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256,
                                       deleted_at)
            values (?::uuid, ?::uuid, ?, ?, ?, ?, ?, ?, decode(?, 'hex'), now())
            """;

    private static final String COMPLETE = """
            update imagen.images set deleted_at = null where id = ?::uuid and removing_at is null returning *
            """;

    private final Database database;

    OwnedImages(Database database) {
        this.database = database;
    }

    /** @param sha256 hexadecimal */
    record StoredBytes(String bucket, String path, String mimeType, String sha256) {

        static StoredBytes of(Row row) {
            return new StoredBytes(row.text("bucket"), row.text("path"), row.text("mime_type"),
                    HexFormat.of().formatHex(row.bytes("sha256")));
        }
    }

    /**
     * A picture that no job made.
     *
     * @param sha256 hexadecimal
     */
    record Upload(UUID id, UUID owner, String bucket, String path, ImageFile file, int bytes, String sha256) {}

    record Listed(ObjectNode json, Cursor cursor) {}

    Optional<ObjectNode> find(Caller caller, UUID id) {
        return database.one(caller, FIND, ImageJson::of, id);
    }

    Optional<StoredBytes> bytes(Caller caller, UUID id) {
        return database.one(caller, FIND, StoredBytes::of, id);
    }

    List<Listed> list(Caller caller, UUID owner, Cursor after, int limit) {
        return database.query(caller, LIST, OwnedImages::listed, owner, after.createdAt(), after.id(), limit);
    }

    private static Listed listed(Row row) {
        return new Listed(ImageJson.of(row), Cursor.of(row.instant("created_at"), row.uuid("id")));
    }

    /** Records an upload whose bytes are not stored yet: nobody sees it. */
    void begin(Upload image) {
        database.update(BEGIN, image.id(), image.owner(), image.bucket(), image.path(), image.file().type().mimeType(),
                image.file().width(), image.file().height(), image.bytes(), image.sha256());
    }

    /** Shows it; empty where that comes so late that its removal has begun. */
    Optional<ObjectNode> complete(UUID id) {
        return database.one(COMPLETE, ImageJson::of, id);
    }

    /** Takes an image out of sight, now or long ago; empty for an unknown or foreign id. */
    Optional<ObjectNode> delete(Caller caller, UUID id) {
        return change(caller, DELETE, id);
    }

    /**
     * Brings a deleted image back; empty for an unknown or foreign id.
     *
     * @throws DatabaseException with state PT409 when it was deleted too long ago
     */
    Optional<ObjectNode> restore(Caller caller, UUID id) {
        return change(caller, RESTORE, id);
    }

    private Optional<ObjectNode> change(Caller caller, String sql, UUID id) {
        try {
            return database.as(caller, session -> session.one(sql, ImageJson::of, id));
        } catch (DatabaseException e) {
            if (e.state().equals("PT404")) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
