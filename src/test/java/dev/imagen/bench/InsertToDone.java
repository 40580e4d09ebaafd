package dev.imagen.bench;

import java.util.Map;
import java.util.Optional;

/** From an INSERT's return to the {@code done} that a LISTEN connection reads: the mock backend's picture, on disk. */
record InsertToDone(BenchDatabase database) {

    private static final int WARM_UP = 200;

    void measure(int jobs) throws Exception {
        try (var system = BenchSystem.start(database.settings(Map.of()), database.service(), database.owner(),
                Optional.empty())) {
            system.startWorker();
            new SqlClient(system).measure(WARM_UP);
            var done = new SqlClient(system).measure(jobs).done();
            for (int percent : new int[]{50, 99}) {
                Sample.of("insert_to_done_p" + percent, done.at(percent), "ms", "").print();
            }
        }
    }
}
