package dev.imagen.config;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * Where image files are kept.
 *
 * @param kind the store that new images go to
 * @param supabase present where it is set up: as the kind, or to read what was stored there before
 * @param s3 the same
 * @param links how long a link to an image in a remote store is valid
 */
public record StorageSettings(Kind kind, Optional<Supabase> supabase, Optional<S3> s3, Duration links) {

    /** The stores that there are. */
    public enum Kind {
        /** Files below {@code imagen.home}. */
        FILE,
        /** Supabase Storage. */
        SUPABASE,
        /** Amazon S3, or what speaks its protocol. */
        S3
    }

    /**
     * @param url of the Storage API, without a slash at its end: {@code https://abc.supabase.co/storage/v1}
     * @param key the service key
     */
    public record Supabase(URI url, Secret key, String bucket) {}

    /**
     * @param endpoint empty: Amazon's own for the region; otherwise buckets are in the path
     * @param key the access key's id
     * @param secret the access key's secret
     */
    public record S3(Optional<URI> endpoint, String region, String bucket, Secret key, Secret secret) {}
}
