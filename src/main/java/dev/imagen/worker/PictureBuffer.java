package dev.imagen.worker;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The newest picture of each job, those first that have waited longest. All together have a limit, however many jobs
 * run: what does not fit is dropped.
 */
final class PictureBuffer {

    private final Map<RunningJob, byte[]> newest = new LinkedHashMap<>();
    private final long mostBytes;
    private long bytes;

    PictureBuffer(long mostBytes) {
        this.mostBytes = mostBytes;
    }

    /** Takes the place of the job's older picture. @return false when there was no room, and nothing changed */
    synchronized boolean put(RunningJob job, byte[] picture) {
        long after = bytes - length(newest.get(job)) + picture.length;
        if (after > mostBytes) {
            return false;
        }
        newest.put(job, picture);
        bytes = after;
        return true;
    }

    private static int length(byte[] picture) {
        return picture == null ? 0 : picture.length;
    }

    synchronized boolean has(RunningJob job) {
        return newest.containsKey(job);
    }

    /** Whether so many bytes more fit. */
    synchronized boolean fits(int more) {
        return bytes + more <= mostBytes;
    }

    synchronized Optional<byte[]> take(RunningJob job) {
        byte[] picture = newest.remove(job);
        bytes -= length(picture);
        return Optional.ofNullable(picture);
    }

    synchronized Map<RunningJob, byte[]> takeAll() {
        var all = new LinkedHashMap<>(newest);
        newest.clear();
        bytes = 0;
        return all;
    }

    /** Whose pictures are here. */
    synchronized List<RunningJob> jobs() {
        return List.copyOf(newest.keySet());
    }
}
