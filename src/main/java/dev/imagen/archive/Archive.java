package dev.imagen.archive;

import java.util.List;

/**
 * A ZIP with everything that one installation has: {@code imagen.properties} (the format and the version of the
 * schema), {@code tables/NAME.csv} and {@code images/KEY}, the files of images that are files of this machine. What
 * remote stores have stays there.
 */
final class Archive {

    static final int FORMAT = 1;
    static final String MANIFEST = "imagen.properties";
    static final String IMAGES = "images/";

    /** In the order in which foreign keys allow them. */
    static final List<String> TABLES = List.of("jobs", "images", "usage", "job_attempts", "pauses", "limits",
            "api_keys", "queue_samples");

    /** What belongs to processes that run, ends within minutes, or is made anew when it is needed. */
    static final List<String> LEFT_OUT = List.of("workers", "job_progress", "tickets", "thumbnails", "upkeep",
            "flyway_schema_history");

    private Archive() {}

    static String entry(String table) {
        return "tables/" + table + ".csv";
    }
}
