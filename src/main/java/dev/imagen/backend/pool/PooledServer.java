package dev.imagen.backend.pool;

import dev.imagen.backend.Generation;
import dev.imagen.backend.ImageBackend;
import dev.imagen.backend.ImageRequest;
import dev.imagen.backend.Progress;
import dev.imagen.job.JobFailedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One server of a pool. After three failures in a row it gets no calls for a while, and then one, which tells whether
 * it is back.
 */
final class PooledServer {

    private static final int FAILURES_IN_A_ROW = 3;

    private final ImageBackend backend;
    private final CircuitBreaker breaker;
    private final AtomicInteger inFlight = new AtomicInteger();

    /** @param rest after so many failures */
    PooledServer(ImageBackend backend, Duration rest) {
        this.backend = backend;
        this.breaker = CircuitBreaker.of(backend.info().name(),
                CircuitBreakerConfig.custom().slidingWindowType(SlidingWindowType.COUNT_BASED)
                        .slidingWindowSize(FAILURES_IN_A_ROW).minimumNumberOfCalls(FAILURES_IN_A_ROW)
                        .failureRateThreshold(100).permittedNumberOfCallsInHalfOpenState(1)
                        .waitDurationInOpenState(rest).build());
    }

    ImageBackend backend() {
        return backend;
    }

    boolean has(String model) {
        return backend.info().offers(model);
    }

    /** Whether it may be called; who is told so has to {@link #call} or {@link #pass}. */
    boolean admits() {
        return breaker.tryAcquirePermission();
    }

    /** Not called after all. */
    void pass() {
        breaker.releasePermission();
    }

    /**
     * Pictures that it has to make: those of this process, or all, where it says how many that are. The largest number:
     * it does not answer.
     */
    int busy() throws InterruptedException {
        try {
            return Math.max(inFlight.get(), backend.waiting());
        } catch (JobFailedException e) {
            breaker.onError(0, TimeUnit.NANOSECONDS, e);
            return Integer.MAX_VALUE;
        }
    }

    Generation call(ImageRequest request, Progress progress) throws JobFailedException, InterruptedException {
        inFlight.incrementAndGet();
        long start = System.nanoTime();
        try {
            var generation = backend.generate(request, progress);
            breaker.onSuccess(System.nanoTime() - start, TimeUnit.NANOSECONDS);
            return generation;
        } catch (JobFailedException e) {
            tell(e, System.nanoTime() - start);
            throw e;
        } catch (InterruptedException | RuntimeException e) {
            breaker.releasePermission();
            throw e;
        } finally {
            inFlight.decrementAndGet();
        }
    }

    /** A refusal is an answer: the server is there. */
    private void tell(JobFailedException failure, long nanos) {
        if (failure.retryable()) {
            breaker.onError(nanos, TimeUnit.NANOSECONDS, failure);
        } else {
            breaker.onSuccess(nanos, TimeUnit.NANOSECONDS);
        }
    }
}
