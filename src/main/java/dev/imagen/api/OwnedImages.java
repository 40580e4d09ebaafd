package dev.imagen.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.Row;
import dev.imagen.queue.OwnedJobs.Cursor;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Reads images as a caller may see them. */
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

    private final Database database;

    OwnedImages(Database database) {
        this.database = database;
    }

    /** @param sha256 hexadecimal */
    record StoredBytes(String path, String mimeType, String sha256) {}

    record Listed(ObjectNode json, Cursor cursor) {}

    Optional<ObjectNode> find(Caller caller, UUID id) {
        return database.as(caller, session -> session.one(FIND, ImageJson::of, id));
    }

    Optional<StoredBytes> bytes(Caller caller, UUID id) {
        return database.as(caller, session -> session.one(FIND, row -> new StoredBytes(row.text("path"),
                row.text("mime_type"), HexFormat.of().formatHex(row.bytes("sha256"))), id));
    }

    List<Listed> list(Caller caller, UUID owner, Cursor after, int limit) {
        return database.as(caller,
                session -> session.query(LIST, OwnedImages::listed, owner, after.createdAt(), after.id(), limit));
    }

    private static Listed listed(Row row) {
        return new Listed(ImageJson.of(row), Cursor.of(row.instant("created_at"), row.uuid("id")));
    }
}
