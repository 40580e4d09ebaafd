package dev.imagen.api;

import dev.imagen.event.JobProgress;
import dev.imagen.job.Job;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Sends one stream: never an older state of a job after a newer one, nor the same twice. */
final class EventStream {

    private static final Duration KEEP_ALIVE = Duration.ofSeconds(15);

    /** Jobs remembered to tell news from repetitions, those last heard of: as many as a mailbox can hold. */
    private static final int REMEMBERED = 10_000;

    /** @param preview a hash of the last one; 0: there was none */
    private record Sent(UUID owner, long version, boolean finished, int attempt, int step, int preview) {}

    private final SseWriter writer;
    private final Mailbox mailbox;
    private final StatusEvents statuses;
    private final boolean endsWithJob;
    private final Optional<Instant> until;
    private final Map<UUID, Sent> sent = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<UUID, Sent> eldest) {
            return size() > REMEMBERED;
        }
    };

    /**
     * @param endsWithJob whether a finished job is the last that this stream sends
     * @param until when it ends in any case, with what proved the caller
     */
    EventStream(SseWriter writer, Mailbox mailbox, StatusEvents statuses, boolean endsWithJob,
            Optional<Instant> until) {
        this.writer = writer;
        this.mailbox = mailbox;
        this.statuses = statuses;
        this.endsWithJob = endsWithJob;
        this.until = until;
    }

    /** Counts as sent what the client has already. */
    void known(Job job) {
        var before = Optional.ofNullable(sent.get(job.id())).filter(told -> told.attempt() == job.attempt());
        sent.put(job.id(), new Sent(job.ownerUserId(), job.version(), job.status().finished(), job.attempt(),
                before.map(Sent::step).orElse(0), before.map(Sent::preview).orElse(0)));
    }

    /** Sends these, then what comes, until the end, the client's leaving or the process's stop. */
    void run(Iterable<Job> first) {
        try (writer) {
            // An empty comment shows the client, and any proxy between, that the stream is open.
            writer.comment("open");
            for (Job job : first) {
                if (send(job)) {
                    return;
                }
            }
            sendUntilEnd();
        } catch (IOException | UncheckedIOException e) {
            // The client went away, which is how most streams end.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void sendUntilEnd() throws IOException, InterruptedException {
        boolean end = false;
        while (!end) {
            var left = left();
            var letter = mailbox.take(left.compareTo(KEEP_ALIVE) < 0 ? left : KEEP_ALIVE);
            if (!left().isPositive()) {
                writer.comment("what was shown to open this stream has expired");
                return;
            }
            if (letter.isEmpty()) {
                writer.comment("still here");
                continue;
            }
            end = switch (letter.get()) {
                case Mailbox.Letter.Changed(var job) -> send(job);
                case Mailbox.Letter.Progressed(var progress) -> {
                    send(progress);
                    yield false;
                }
                case Mailbox.Letter.Closed() -> true;
            };
        }
    }

    private Duration left() {
        return until.map(end -> Duration.between(Instant.now(), end)).orElse(KEEP_ALIVE);
    }

    /** @return whether the stream ends with this */
    private boolean send(Job job) throws IOException {
        var before = sent.get(job.id());
        if (before != null && !before.owner().equals(job.ownerUserId())) {
            // It was given to somebody else. Who watched it may not any more.
            return true;
        }
        if (before == null || before.version() < job.version()) {
            writer.send(statuses.of(job));
            known(job);
        }
        return endsWithJob && sent.get(job.id()).finished();
    }

    private void send(JobProgress progress) throws IOException {
        var before = sent.get(progress.jobId());
        if (before == null || !before.owner().equals(progress.ownerUserId()) || before.finished()
                || before.attempt() != progress.attempt() || before.step() > progress.step()) {
            return;
        }
        // The same may come twice: from this process, and from the table.
        int shown = progress.preview().map(Arrays::hashCode).orElse(before.preview());
        boolean anew = shown != before.preview();
        if (before.step() == progress.step() && !anew) {
            return;
        }
        sent.put(progress.jobId(),
                new Sent(before.owner(), before.version(), false, before.attempt(), progress.step(), shown));
        var data = Json.object().put("job_id", progress.jobId().toString()).put("step", progress.step())
                .put("steps", progress.steps()).put("eta", progress.eta().toMillis() / 1000.0)
                .put("preview", anew ? progress.preview().map(EventStream::dataUrl).orElse(null) : null);
        writer.send(SseWriter.event("progress", Optional.empty(), Json.bytes(data)));
    }

    private static String dataUrl(byte[] jpeg) {
        return "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(jpeg);
    }
}
