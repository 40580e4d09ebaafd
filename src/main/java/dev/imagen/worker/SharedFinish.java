package dev.imagen.worker;

import dev.imagen.queue.JobQueue;
import dev.imagen.queue.JobQueue.Finish;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;

/**
 * Attempts that end while another statement is on its way share the next one: the server makes commits that notify one
 * after the other. One that ends alone waits for nobody.
 */
final class SharedFinish {

    private static final System.Logger LOG = System.getLogger(SharedFinish.class.getName());

    /** On their way to the server, running, and committing. */
    private static final int STATEMENTS = 3;
    private static final int IN_ONE = 50;

    private final Semaphore turns = new Semaphore(STATEMENTS);
    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private final JobQueue queue;

    SharedFinish(JobQueue queue) {
        this.queue = queue;
    }

    private record Waiting(Finish finish, CompletableFuture<Boolean> written) {}

    /** @return false where {@link JobQueue#settle} has to tell what became of it */
    boolean wrote(Finish finish) {
        var mine = new Waiting(finish, new CompletableFuture<>());
        waiting.add(mine);
        writeInTurn();
        return mine.written().join();
    }

    /** Where all turns are taken, one of those who have them looks again when its own is over. */
    private void writeInTurn() {
        if (!turns.tryAcquire()) {
            return;
        }
        try {
            writeSome();
        } finally {
            turns.release();
            if (!waiting.isEmpty()) {
                // Not by this thread: its own attempt would not end as long as others do.
                Thread.ofVirtual().name("imagen-finish").start(this::writeInTurn);
            }
        }
    }

    /** Whoever has the turn writes for others too. */
    private void writeSome() {
        var batch = new ArrayList<Waiting>();
        for (var next = waiting.poll(); next != null; next = batch.size() < IN_ONE ? waiting.poll() : null) {
            batch.add(next);
        }
        Set<UUID> written = Set.of();
        try {
            written = write(batch.stream().map(Waiting::finish).toList());
        } finally {
            for (Waiting each : batch) {
                each.written().complete(written.contains(each.finish().job().id()));
            }
        }
    }

    private Set<UUID> write(List<Finish> ended) {
        try {
            return ended.isEmpty() ? Set.of() : queue.finish(ended);
        } catch (RuntimeException e) {
            LOG.log(Level.DEBUG, "the ends of these jobs are recorded one by one: {0}", e.getMessage());
            return Set.of();
        }
    }
}
