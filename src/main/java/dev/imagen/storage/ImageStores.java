package dev.imagen.storage;

import dev.imagen.config.Settings;
import dev.imagen.config.StorageSettings;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The store that new images go to, and those that older ones may be in: an image's row names its bucket. */
public final class ImageStores implements AutoCloseable {

    private final ImageStore current;
    private final Map<String, ImageStore> byBucket = new LinkedHashMap<>();

    /** @param former further stores that images may be in */
    public ImageStores(ImageStore current, ImageStore... former) {
        this(current, List.of(former));
    }

    private ImageStores(ImageStore current, List<ImageStore> stores) {
        this.current = current;
        byBucket.put(current.bucket(), current);
        stores.forEach(store -> byBucket.putIfAbsent(store.bucket(), store));
    }

    /** The stores that are set up. Files of this machine are one of them where there are any. */
    public static ImageStores of(Settings settings) {
        var storage = settings.storage();
        var folder = settings.home().resolve("images");
        var file = Optional.of(folder).filter(path -> files(storage, path)).map(FileImageStore::new);
        var supabase = storage.supabase().map(server -> new SupabaseImageStore(server, storage.links()));
        var s3 = storage.s3().map(server -> new S3ImageStore(server, storage.links()));
        var current = switch (storage.kind()) {
            case FILE -> file.orElseThrow();
            case SUPABASE -> supabase.orElseThrow();
            case S3 -> s3.orElseThrow();
        };
        return new ImageStores(current, Stream.of(file, supabase, s3).<ImageStore>flatMap(Optional::stream).toList());
    }

    /** A process that has no folder must not take another one's files for removed. */
    private static boolean files(StorageSettings storage, Path folder) {
        return storage.kind() == StorageSettings.Kind.FILE || Files.isDirectory(folder);
    }

    /** Where new images go. */
    public ImageStore current() {
        return current;
    }

    /** All of them, the current one first. */
    public List<ImageStore> all() {
        return List.copyOf(byBucket.values());
    }

    /** Where links to images lead, besides this service. */
    public List<URI> linkOrigins() {
        return all().stream().map(ImageStore::linkOrigin).flatMap(Optional::stream).distinct().toList();
    }

    /** The store of an image whose row has this bucket, if it is set up here. */
    public Optional<ImageStore> of(String bucket) {
        return Optional.ofNullable(byBucket.get(bucket));
    }

    @Override
    public void close() {
        byBucket.values().forEach(ImageStore::close);
    }
}
