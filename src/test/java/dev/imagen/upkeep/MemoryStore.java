package dev.imagen.upkeep;

import dev.imagen.image.ImageBytes;
import dev.imagen.storage.ImageStore;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A store in memory that fails where a test wants it to. */
final class MemoryStore implements ImageStore {

    private final String bucket;
    private final Map<String, byte[]> files = new ConcurrentSkipListMap<>(Comparator.naturalOrder());
    private final AtomicInteger listings = new AtomicInteger();
    private Predicate<String> fails = _ -> false;
    private Consumer<String> beforeDelete = _ -> {};

    MemoryStore() {
        this("memory");
    }

    MemoryStore(String bucket) {
        this.bucket = bucket;
    }

    /** Calls about these keys and prefixes fail. */
    void failFor(Predicate<String> keys) {
        fails = keys;
    }

    /** Hears of each key that is about to be deleted. */
    void beforeDelete(Consumer<String> listener) {
        beforeDelete = listener;
    }

    void put(String... keys) {
        for (String key : keys) {
            files.put(key, new byte[]{1});
        }
    }

    List<String> all() {
        return List.copyOf(files.keySet());
    }

    /** How often keys were asked for. */
    int listings() {
        return listings.get();
    }

    @Override
    public String bucket() {
        return bucket;
    }

    @Override
    public String place(String key) {
        return key;
    }

    @Override
    public void put(String key, ImageBytes bytes, String mimeType) {
        files.put(key, bytes.joined());
    }

    @Override
    public Optional<byte[]> get(String key) {
        return Optional.ofNullable(files.get(key));
    }

    @Override
    public List<String> keys(String prefix) throws IOException {
        listings.incrementAndGet();
        failOn(prefix);
        return files.keySet().stream().filter(key -> key.startsWith(prefix)).toList();
    }

    @Override
    public void delete(String key) throws IOException {
        failOn(key);
        beforeDelete.accept(key);
        files.remove(key);
    }

    private void failOn(String key) throws IOException {
        if (fails.test(key)) {
            throw new IOException("no answer about " + key);
        }
    }
}
