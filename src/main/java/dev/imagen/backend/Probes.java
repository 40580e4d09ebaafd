package dev.imagen.backend;

import dev.imagen.job.JobFailedException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Asks the servers of backends from time to time how they are, each on a thread of its own. */
final class Probes {

    private static final System.Logger LOG = System.getLogger(Probes.class.getName());

    private final Map<String, Health> last = new ConcurrentHashMap<>();
    private final CountDownLatch stopping = new CountDownLatch(1);
    private final Duration every;

    Probes(Duration every) {
        this.every = every;
    }

    void start(Collection<ImageBackend> backends) {
        for (ImageBackend backend : backends) {
            Thread.ofVirtual().name("imagen-probe-" + backend.info().name()).start(() -> probeUntilStopped(backend));
        }
    }

    private void probeUntilStopped(ImageBackend backend) {
        try {
            do {
                probe(backend);
            } while (!stopping.await(every.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void probe(ImageBackend backend) throws InterruptedException {
        Optional<String> problem = Optional.empty();
        try {
            backend.probe();
        } catch (JobFailedException e) {
            problem = Optional.of(e.getMessage());
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "a probe of backend " + backend.info().name() + " failed unexpectedly", e);
            problem = Optional.of("the probe failed; the log says why");
        }
        told(backend.info().name(), problem, last.put(backend.info().name(), new Health(problem, Instant.now())));
    }

    /** In the log once for each change. */
    private static void told(String name, Optional<String> problem, Health before) {
        boolean failed = before != null && before.problem().isPresent();
        if (problem.isPresent() && !failed) {
            LOG.log(Level.WARNING, "backend {0} does not answer as it should: {1}", name, problem.get());
        } else if (problem.isEmpty() && failed) {
            LOG.log(Level.INFO, "backend {0} answers again", name);
        }
    }

    Optional<Health> of(String backend) {
        return Optional.ofNullable(last.get(backend));
    }

    void stop() {
        stopping.countDown();
    }
}
