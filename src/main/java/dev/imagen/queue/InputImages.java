package dev.imagen.queue;

import dev.imagen.database.Caller;
import dev.imagen.database.Database;
import dev.imagen.database.DatabaseException;
import dev.imagen.job.JobFailedException;
import dev.imagen.job.StoredImage;
import java.util.Optional;
import java.util.UUID;

/** Images that jobs begin with. */
public final class InputImages {

    private static final String FIND = """
            select id, bucket, path from imagen.images
             where id = ?::uuid and owner_user_id = ?::uuid and deleted_at is null
            """;

    private final Database database;

    /** Images of this database. */
    public InputImages(Database database) {
        this.database = database;
    }

    /** An image of this owner, as a caller may see it. Throws {@link DatabaseException}. */
    public boolean has(Caller caller, UUID owner, UUID id) {
        return database.one(caller, FIND, _ -> true, id, owner).isPresent();
    }

    /**
     * An image of this owner; empty for an unknown, foreign or deleted one.
     *
     * @throws JobFailedException temporary, where the database does not answer
     */
    public Optional<StoredImage> find(UUID owner, UUID id) throws JobFailedException {
        try {
            return database.one(FIND, row -> new StoredImage(row.uuid("id"), row.text("bucket"), row.text("path")), id,
                    owner);
        } catch (DatabaseException e) {
            throw JobFailedException.temporary("the database did not say where the input image is: " + e.getMessage(),
                    e);
        }
    }
}
