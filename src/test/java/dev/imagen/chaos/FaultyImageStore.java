package dev.imagen.chaos;

import dev.imagen.image.ImageBytes;
import dev.imagen.storage.ImageStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** The real store, half of whose answers something is wrong with. The dice say what. */
final class FaultyImageStore implements ImageStore {

    /** What may be wrong. */
    enum Fault {
        /** Waits before it stores; an interrupt ends the wait. */
        SLOW,
        /** Has stored long before it answers, and heeds no interrupt. */
        LATE,
        /** Stores nothing and says so. */
        REFUSED,
        /** Stores half of the bytes, then fails. */
        HALF,
        /** Stores everything, then says that it has failed. */
        DENIED
    }

    private final ImageStore real;
    private final Duration longest;
    private final Random dice;
    private final Map<Fault, Integer> happened = new ConcurrentHashMap<>();
    private final Set<String> failed = ConcurrentHashMap.newKeySet();

    /** @param longest that a slow answer takes */
    FaultyImageStore(ImageStore real, Duration longest, Random dice) {
        this.real = real;
        this.longest = longest;
        this.dice = dice;
    }

    /** How often each of them has happened. */
    Map<Fault, Integer> happened() {
        return Map.copyOf(happened);
    }

    /** The keys of which the store has said that it did not take the image. */
    Set<String> failed() {
        return Set.copyOf(failed);
    }

    @Override
    public String bucket() {
        return real.bucket();
    }

    @Override
    public String place(String key) {
        return key;
    }

    @Override
    public void put(String key, ImageBytes bytes, String mimeType) throws IOException {
        try {
            var fault = next();
            if (fault.isPresent()) {
                happened.merge(fault.get(), 1, Integer::sum);
                put(fault.get(), key, bytes, mimeType);
            } else {
                real.put(key, bytes, mimeType);
            }
        } catch (IOException e) {
            failed.add(key);
            throw e;
        }
    }

    private Optional<Fault> next() {
        int side = dice.nextInt(2 * Fault.values().length);
        return side < Fault.values().length ? Optional.of(Fault.values()[side]) : Optional.empty();
    }

    private void put(Fault fault, String key, ImageBytes bytes, String mimeType) throws IOException {
        switch (fault) {
            case SLOW -> {
                pause();
                real.put(key, bytes, mimeType);
            }
            case LATE -> {
                real.put(key, bytes, mimeType);
                pauseThroughInterrupts();
            }
            case REFUSED -> throw new IOException("refused on purpose");
            case HALF -> {
                real.put(key, Arrays.copyOf(bytes.joined(), (int) bytes.length() / 2), mimeType);
                throw new IOException("broken off on purpose");
            }
            case DENIED -> {
                real.put(key, bytes, mimeType);
                throw new IOException("denied on purpose");
            }
        }
    }

    private long someNanos() {
        return dice.nextLong(longest.toNanos());
    }

    private void pause() throws InterruptedIOException {
        try {
            Thread.sleep(Duration.ofNanos(someNanos()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while it was slow");
        }
    }

    private void pauseThroughInterrupts() {
        long end = System.nanoTime() + someNanos();
        boolean interrupted = false;
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public Optional<byte[]> get(String key) throws IOException {
        return real.get(key);
    }

    @Override
    public void delete(String key) throws IOException {
        real.delete(key);
    }

    @Override
    public List<String> keys(String prefix) throws IOException {
        return real.keys(prefix);
    }
}
