package dev.imagen.api;

import dev.imagen.image.ImageBytes;
import dev.imagen.storage.ImageStore;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;

/** A store that tells how often whole pictures are read from it, and how many at once. */
record WatchedStore(ImageStore real, Watch watch) implements ImageStore {

    /** What happens before a read is answered. */
    @FunctionalInterface
    interface Event {
        void happen() throws Exception;
    }

    /** Of one store, or of several together. */
    static final class Watch {

        private final AtomicInteger reads = new AtomicInteger();
        private final AtomicInteger now = new AtomicInteger();
        private final AtomicInteger most = new AtomicInteger();
        private volatile Event everyTime = () -> {};
        private volatile Event once = () -> {};

        int reads() {
            return reads.get();
        }

        int mostAtOnce() {
            return most.get();
        }

        /** Each read is answered together with another one. */
        void holdUntilTwo() {
            var two = new CyclicBarrier(2);
            everyTime = two::await;
        }

        void failOnce() {
            beforeNextAnswer(() -> {
                throw new IOException("away on purpose");
            });
        }

        void beforeNextAnswer(Event event) {
            once = () -> {
                once = () -> {};
                event.happen();
            };
        }

        private void read() throws IOException {
            reads.incrementAndGet();
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            try {
                everyTime.happen();
                once.happen();
            } catch (IOException e) {
                throw e;
            } catch (Exception e) {
                throw new IOException(e);
            } finally {
                now.decrementAndGet();
            }
        }
    }

    @Override
    public String bucket() {
        return real.bucket();
    }

    @Override
    public String place(String key) {
        return real.place(key);
    }

    @Override
    public void put(String key, ImageBytes bytes, String mimeType) throws IOException {
        real.put(key, bytes, mimeType);
    }

    @Override
    public Optional<byte[]> get(String key) throws IOException {
        watch.read();
        return real.get(key);
    }

    @Override
    public Optional<Content> content(String key) throws IOException {
        return real.content(key);
    }

    @Override
    public List<String> keys(String prefix) throws IOException {
        return real.keys(prefix);
    }

    @Override
    public void delete(String key) throws IOException {
        real.delete(key);
    }
}
