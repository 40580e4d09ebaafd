package dev.imagen.page;

import dev.imagen.testing.TestDatabase;
import dev.imagen.testing.TestService;
import java.sql.SQLException;

/** Rows of images as the service writes them, with small pictures. */
final class ManyImages {

    private ManyImages() {}

    /** They all look like one picture that was really made. */
    static void insert(TestDatabase database, TestService service, int count) throws SQLException {
        var made = service.client().submitAndWait("{\"prompt\": \"one of many\"}").path("image_id").textValue();
        service.client().get("/images/" + made + "/thumbnail");
        database.execute("""
                insert into imagen.images (owner_user_id, bucket, path, mime_type, width, height, byte_size, sha256,
                                           backend, model, prompt, created_at)
                select owner_user_id, bucket, path || '-' || n, mime_type, width, height, byte_size, sha256, backend,
                       model, 'picture ' || n, created_at - n * interval '1 minute'
                  from imagen.images, generate_series(1, %d) n where id = '%s'
                """.formatted(count, made), """
                insert into imagen.thumbnails (image_id, jpeg)
                select i.id, t.jpeg from imagen.images i, imagen.thumbnails t
                 where t.image_id = '%s' and i.id <> t.image_id
                """.formatted(made), "analyze imagen.images");
    }
}
