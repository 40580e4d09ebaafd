package dev.imagen.api;

import dev.imagen.event.JobProgress;
import dev.imagen.event.Watcher;
import dev.imagen.job.Job;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What one stream has yet to send. A stream tells state: where its client is slow, a newer state of a job replaces an
 * older one that was not sent yet, and a newer preview an older one.
 */
final class Mailbox implements Watcher {

    /** Something to send. */
    sealed interface Letter {
        record Changed(Job job) implements Letter {}

        record Progressed(JobProgress progress) implements Letter {}

        /** Nothing more comes. */
        record Closed() implements Letter {}
    }

    private record Key(UUID job, boolean progress) {}

    /** A client that lets this many jobs wait is gone or hopeless; it may come back with Last-Event-ID. */
    private static final int CAPACITY = 10_000;

    /** So is one that lets this much text of jobs wait, in characters: prompts may be long. */
    private static final long MOST_TEXT = 16 * 1024 * 1024;

    /** Of previews, in bytes. What comes then is progress without one: no reason to end a stream. */
    private static final long MOST_PREVIEWS = 1024 * 1024;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final LinkedHashMap<Key, Letter> letters = new LinkedHashMap<>();
    private long text;
    private volatile long previews;
    private boolean closed;

    @Override
    public void changed(Job job) {
        put(new Key(job.id(), false), new Letter.Changed(job));
    }

    @Override
    public boolean watchesProgress() {
        return true;
    }

    @Override
    public void progressed(JobProgress progress) {
        put(new Key(progress.jobId(), true), new Letter.Progressed(fitting(progress)));
    }

    private JobProgress fitting(JobProgress progress) {
        return previews + length(progress) > MOST_PREVIEWS ? progress.withoutPreview() : progress;
    }

    private static int length(JobProgress progress) {
        return progress.preview().map(preview -> preview.length).orElse(0);
    }

    @Override
    public void closed() {
        lock.lock();
        try {
            closed = true;
            filled.signal();
        } finally {
            lock.unlock();
        }
    }

    /** After its end a stream is told nothing more: what a client does not take must not grow on. */
    private void put(Key key, Letter letter) {
        lock.lock();
        try {
            if (!closed) {
                count(letters.merge(key, letter, this::replacement), 1);
                closed = letters.size() > CAPACITY || text > MOST_TEXT;
                filled.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    private Letter replacement(Letter untold, Letter news) {
        count(untold, -1);
        return untold instanceof Letter.Progressed(var before) && news instanceof Letter.Progressed(var now)
                ? new Letter.Progressed(now.after(before))
                : news;
    }

    /** @param sign 1 for a letter that came, -1 for one that goes */
    private void count(Letter letter, int sign) {
        switch (letter) {
            case Letter.Changed(var job) -> text += sign
                    * (job.request().prompt().length() + job.request().negativePrompt().map(String::length).orElse(0));
            case Letter.Progressed(var progress) -> previews += sign * length(progress);
            case Letter.Closed() -> {
                // Nothing to keep.
            }
        }
    }

    /** The next letter; empty when none came in time, or a little later. */
    Optional<Letter> take(Duration longest) throws InterruptedException {
        lock.lock();
        try {
            if (letters.isEmpty() && !closed) {
                await(longest);
            }
            if (letters.isEmpty()) {
                return closed ? Optional.of(new Letter.Closed()) : Optional.empty();
            }
            var letter = letters.pollFirstEntry().getValue();
            count(letter, -1);
            return Optional.of(letter);
        } finally {
            lock.unlock();
        }
    }

    private void await(Duration longest) throws InterruptedException {
        long until = System.nanoTime() + longest.toNanos();
        try (var _ = Alarms.after(longest, this::wake)) {
            while (letters.isEmpty() && !closed && until - System.nanoTime() > 0) {
                filled.await();
            }
        }
    }

    private void wake() {
        lock.lock();
        try {
            filled.signal();
        } finally {
            lock.unlock();
        }
    }
}
