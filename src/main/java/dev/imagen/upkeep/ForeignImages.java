package dev.imagen.upkeep;

import dev.imagen.database.Database;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Says once that deleted images are kept by stores that this process cannot remove them from. */
final class ForeignImages implements Chore {

    private static final System.Logger LOG = System.getLogger(ForeignImages.class.getName());

    private static final String BUCKETS = """
            select distinct bucket from imagen.images
             where bucket <> all (?::text[]) and deleted_at is not null and deleted_at < now() - imagen.restore_time()
            """;

    private final Database database;
    private final List<String> ours;
    private boolean said;

    /** @param ours the buckets of the stores that this process can remove images from */
    ForeignImages(Database database, List<String> ours) {
        this.database = database;
        this.ours = ours;
    }

    @Override
    public String name() {
        return "images of other stores";
    }

    @Override
    public void run(BooleanSupplier goOn) {
        if (!said) {
            List<String> buckets = database.query(BUCKETS, row -> row.text("bucket"),
                    (Object) ours.toArray(String[]::new));
            if (!buckets.isEmpty()) {
                said = true;
                LOG.log(Level.WARNING,
                        "there are deleted images in {0}, but the stores of this process are {1}: their files and rows"
                                + " stay until a process with the settings of their store (storage.*) does the upkeep",
                        buckets, ours);
            }
        }
    }
}
