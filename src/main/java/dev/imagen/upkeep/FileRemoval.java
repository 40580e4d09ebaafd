package dev.imagen.upkeep;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Removes files, and then notes in the database that they are gone: a crash in between repeats the removal, which
 * changes nothing. What the store fails to remove stays for a later round.
 */
final class FileRemoval<T> implements Chore {

    private static final System.Logger LOG = System.getLogger(FileRemoval.class.getName());

    static final int BATCH = 100;

    /** How long one failure may follow another: a store that lets each call wait would outlast the upkeep's lease. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    /** Things whose files are to be removed, in an order of their own. */
    interface Items<T> {

        /** The first ones after this one; after the empty one, the first of all. */
        List<T> after(Optional<T> last, int limit);

        /** Removes its files; those that are gone already are no error. @return how many there were */
        int removeFiles(T item) throws IOException;

        /** Notes that the files of these are removed. */
        void removed(List<T> items);
    }

    private final String name;
    private final Items<T> items;
    private final Duration patience;
    /** Kept from one round to the next: a batch that fails as a whole does not keep the next ones waiting for ever. */
    private Optional<T> last = Optional.empty();

    FileRemoval(String name, Items<T> items) {
        this(name, items, PATIENCE);
    }

    FileRemoval(String name, Items<T> items, Duration patience) {
        this.name = name;
        this.items = items;
        this.patience = patience;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void run(BooleanSupplier goOn) {
        var round = new Round();
        boolean more;
        do {
            more = batch(round);
        } while (more && goOn.getAsBoolean());
        round.log();
    }

    /** @return false at the end, and when nothing succeeded: a store that does not answer is not asked on and on */
    private boolean batch(Round round) {
        var batch = items.after(last, BATCH);
        var removed = batch.stream().filter(round::removeFiles).toList();
        if (!removed.isEmpty()) {
            items.removed(removed);
        }
        last = batch.size() < BATCH ? Optional.empty() : Optional.of(batch.getLast());
        return last.isPresent() && !removed.isEmpty();
    }

    /** Counts, so that the log has a line for each round and not for each file. */
    private final class Round {

        private int files;
        private final List<Exception> failures = new ArrayList<>();
        private Optional<Long> failingSince = Optional.empty();

        /** @return whether it succeeded */
        boolean removeFiles(T item) {
            if (failingSince.filter(since -> System.nanoTime() - since > patience.toNanos()).isPresent()) {
                failures.add(failures.getLast());
                return false;
            }
            try {
                files += items.removeFiles(item);
                failingSince = Optional.empty();
                return true;
            } catch (IOException | RuntimeException e) {
                failures.add(e);
                failingSince = failingSince.or(() -> Optional.of(System.nanoTime()));
                return false;
            }
        }

        void log() {
            if (files > 0) {
                LOG.log(Level.INFO, "removed {0} files of {1}", files, name);
            }
            if (!failures.isEmpty()) {
                LOG.log(Level.WARNING,
                        "the files of {0} {1} could not be removed, a later round tries again; the first: {2}",
                        failures.size(), name, failures.getFirst().toString());
            }
        }
    }
}
